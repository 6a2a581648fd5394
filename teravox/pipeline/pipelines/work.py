"""A step that is ready to be made into jobs, and where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from teravox.pipeline.pipelines.stamp import Cost, Stamp
from teravox.pipeline.stages import Stage

State = Literal["waiting", "ready", "watching", "settling", "running", "done", "failed", "left"]


class Made(Protocol):
    """The jobs of a step, made when what it waits for is done."""

    stages: Sequence[Stage]

    def check(self) -> None:
        """Raise BadUsage now for what the last stage could not do when the others are done."""

    def is_overwritten(self) -> bool:
        """Whether what the ledger calls done has been replaced by another job since."""

    def tidy(self) -> None:
        """Remove what the stages have left for each other; safe to repeat."""


class Work(Protocol):
    """A step whose options have been read."""

    @property
    def name(self) -> str: ...
    @property
    def do(self) -> str: ...
    @property
    def after(self) -> tuple[str, ...]: ...

    def make(self) -> Made:
        """Make the jobs; raises TeravoxError where a layer that they need is not there."""


class StepRun:
    """One step of a run: what the driver knows of it, and what people are shown."""

    def __init__(self, work: Work, *, is_wanted: bool, is_redone: bool) -> None:
        self.work = work
        self.is_wanted = is_wanted
        self.is_redone = is_redone  # though it is done
        self.state: State = "waiting"
        self.note = ""  # why it waits, or what went wrong
        self.made: Made | None = None
        self.stamps: list[Stamp] = []
        self.salt = ""
        self.at = 0  # which stage
        self.is_adopted = False  # its records are those of a job that was no part of a pipeline
        self.has_forgotten = False  # records of an earlier run of the present stage
        self.was_done = False  # before this run
        self.total = self.skipped = self.done = self.failed = 0  # tasks of the present stage
        self.began = self.ended = 0.0  # by the monotonic clock: the present stage; the step
        self.first_began = 0.0
        self.choices: list[str] = []  # what the present stage's job chose by itself
        self.transients = 0  # troubles of the network in a row
        self.costs: list[Cost] = []
        self.exit_code = 0

    @property
    def name(self) -> str:
        return self.work.name

    @property
    def stage(self) -> Stage:
        return self.stages[self.at]

    @property
    def stages(self) -> Sequence[Stage]:
        assert self.made is not None  # the driver has opened it
        return self.made.stages

    @property
    def is_over(self) -> bool:
        return self.state in {"done", "failed", "left"}
