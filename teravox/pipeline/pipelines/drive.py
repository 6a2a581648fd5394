"""Drives the steps of a pipeline: each begins when all that it waits for is done, and what is done stays done.

Nothing of this is remembered but in the ledgers, so it may be killed at any line and started again, also beside itself
and from another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Protocol

import msgspec

from teravox import __version__
from teravox.pipeline.errors import BadUsage, QueueTrouble, TeravoxError, Transient
from teravox.pipeline.ledger import finish_if_complete
from teravox.pipeline.pipelines.claim import Claims
from teravox.pipeline.pipelines.forget import forget_records
from teravox.pipeline.pipelines.judge import is_done, is_stamped, note_costs
from teravox.pipeline.pipelines.place import Place
from teravox.pipeline.pipelines.stamp import cost_of, folders_of, void_overwritten, write_stamp
from teravox.pipeline.pipelines.work import State, StepRun, Work
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.stages import Stage
from teravox.pipeline.submit import Prepared

PATIENT = 20  # troubles of the network in a row that a step is forgiven

Agreed = Callable[[str, str], bool]  # whether a step may do what its question says


class Hearer(Protocol):
    """Who shows how far the steps are."""

    def changed(self, step: StepRun) -> None:
        """A step is in another state."""

    def ticked(self, steps: Sequence[StepRun]) -> None:
        """Some time has gone by."""


class Driver:
    """One run of a pipeline; `advance` as often as something may have changed, from one thread at a time."""

    def __init__(
        self,
        works: Sequence[Work],
        place: Place,
        *,
        wanted: set[str],
        redo: set[str],
        command: str,
        agreed: Agreed,
        writes: bool = True,
        claims: Claims | None = None,
    ) -> None:
        self.steps = [StepRun(work, is_wanted=work.name in wanted, is_redone=work.name in redo) for work in works]
        self.stop = Event()
        self._by_name = {step.name: step for step in self.steps}
        self._place = place
        self._command = command
        self._agreed = agreed
        self._hearer: Hearer | None = None
        self._writes = writes  # not in a dry run
        self._claims = claims or Claims()
        self._busy: dict[str, StepRun] = {}  # stages that are under way, which steps may share

    @property
    def is_over(self) -> bool:
        return all(step.is_over for step in self.steps)

    def hear(self, hearer: Hearer) -> None:
        """Tell somebody of all changes from now on, and how the steps are that are over."""
        self._hearer = hearer
        for step in self.steps:
            if step.is_over:
                self._changed(step)

    def advance(self, *, begin: bool = True) -> bool:
        """Do all that can be done now without waiting; whether anything is left. Without `begin` it only looks."""
        moved = True
        while moved and not self.stop.is_set():
            moved = False
            for step in self.steps:
                if not step.is_over and not self.stop.is_set():
                    moved |= self._go_on(step, begin=begin)
        return not self.is_over

    def drive(self) -> None:
        """Advance until all is done, or until `stop` is set; claims are released at the end."""
        try:
            while not self.stop.is_set() and self.advance():
                if self._hearer is not None:
                    self._hearer.ticked(self.steps)
                self._place.wait()
        finally:
            self.close()

    def close(self) -> None:
        """Let other runs have what this one has not done."""
        self._claims.close()

    def _go_on(self, step: StepRun, *, begin: bool) -> bool:
        """One move of a step; whether there was any."""
        try:
            moved = self._move(step, begin=begin)
        except QueueTrouble:
            raise
        except TeravoxError as error:
            step.transients += 1
            if isinstance(error, Transient) and step.transients < PATIENT:
                step.note = str(error)
                return False
            self._fail(step, str(error), error.exit_code)
            return True
        step.transients = 0
        return moved

    def _move(self, step: StepRun, *, begin: bool) -> bool:
        match step.state:
            case "waiting":
                return self._open(step)
            case "ready" | "watching":
                return begin and self._claim(step)
            case "settling":
                return self._begin_stage(step)
            case "running":
                return self._look(step)
        return False

    def _open(self, step: StepRun) -> bool:
        """Make the jobs of a step when what it waits for is done, and see whether it is done itself."""
        before = [self._by_name[name] for name in step.work.after]
        lacking = [other for other in before if other.state in {"failed", "left"}]
        if lacking:
            self._leave(step, f"{lacking[0].name} is not done")
            return True
        if any(other.state != "done" for other in before):
            return False
        step.made = step.work.make()
        if not self._is_done(step):
            if not step.is_wanted:
                self._leave(step, "it is not done, and was not asked for")
            else:
                self._enter(step, "ready")
        return True

    def _is_done(self, step: StepRun) -> bool:
        """Look whether a step is done; if so, there is nothing else to do for it."""
        tokens = [self._by_name[name].stamps[-1].token for name in step.work.after]
        if not is_done(step, tokens, writes=self._writes):
            step.costs = []
            return False
        step.was_done = True
        if self._writes:
            self._complete(step)
        else:
            self._enter(step, "done")
        return True

    def _claim(self, step: StepRun) -> bool:
        """Begin a step, unless another run is at it."""
        last = step.stages[-1]
        other = self._claims.take(last)
        if other is not None:
            if self._is_done(step):
                return True
            return self._enter(step, "watching", f"another run is at it: process {other.pid} on {other.host}")
        if self._is_done(step):  # by another run, just now
            return True
        assert step.made is not None
        step.made.check()
        if len(step.stages) > 1 and not is_stamped(step, -1):
            forget_records(last)
            write_stamp(last, step.stamps[-1])
        step.first_began = time.monotonic()
        return self._enter(step, "settling")

    def _begin_stage(self, step: StepRun) -> bool:
        """Prepare a stage and have its tasks done; False while somebody else is at it, or old tasks are."""
        stage, stamp = step.stage, step.stamps[step.at]
        holder = self._busy.setdefault(stage.id, step)
        if holder is not step:
            return self._note(step, f"{holder.name} is at the same tasks")
        other = self._claims.take(stage)
        if other is not None:
            del self._busy[stage.id]
            return self._note(step, f"another run is at the same tasks: process {other.pid} on {other.host}")
        is_ours = step.is_adopted or is_stamped(step, step.at)
        if is_ours and stage.ledger.finished():  # by a step that shares it, or by another run
            return self._end_stage(step)
        if not is_ours:
            step.has_forgotten |= forget_records(stage)
        is_resumed = stage.ledger.job() is not None
        if self._place.has_old_tasks(stage, is_resumed=is_resumed, has_forgotten=step.has_forgotten):
            return self._note(step, "waits for tasks of an earlier run, which are under way")
        if not is_resumed:
            forget_records(stage)  # what those have left
        write_stamp(stage, stamp)
        self._begin_tasks(step, stage)
        return self._enter(step, "running")

    def _begin_tasks(self, step: StepRun, stage: Stage) -> None:
        question = stage.job.question()
        if question is not None and not self._agreed(step.name, question):
            raise BadUsage(f"{question} Say --yes to have it done")
        prepared = Prepared(stage.job, stage.kind, resume=False, command=self._command)
        self._claims.put_back(stage)  # the job may have removed it with an older ledger
        folders = folders_of(stage)
        write_stamp(stage, msgspec.structs.replace(step.stamps[step.at], folders=folders))
        known = [each.id for other in self.steps if other.made is not None for each in other.stages]
        void_overwritten(stage, folders, known)
        step.choices = list(stage.job.choices())
        step.total, step.skipped, step.done, step.failed = prepared.total, 0, 0, 0
        step.began = time.monotonic()
        self._place.begin(stage, _left(step, stage, prepared.entries))

    def _look(self, step: StepRun) -> bool:
        stage = step.stage
        seen = self._place.look(stage, step.total)
        step.done = seen.done + step.skipped if self._place.is_here else seen.done
        step.failed = seen.failed
        if not seen.is_over:
            return False
        if seen.failed:
            tasks = "1 task" if seen.failed == 1 else f"{seen.failed:,} tasks"
            self._fail(step, f"{tasks} of {stage.kind} failed")
        elif seen.trouble:
            self._fail(step, seen.trouble)
        elif not finish_if_complete(stage.ledger, stage.job):
            self._fail(step, f"records of {stage.kind} are missing in the ledger at {stage.job.home()}: run it again")
        else:
            self._end_stage(step)
        return True

    def _end_stage(self, step: StepRun) -> bool:
        stage = step.stage
        cost = cost_of(stage)
        if cost is not None:
            step.costs.append(cost)
        self._busy.pop(stage.id, None)
        if step.at == len(step.stages) - 1:
            self._complete(step)
            return True
        self._claims.release(stage)
        step.at += 1
        step.has_forgotten = False
        return self._enter(step, "settling")

    def _complete(self, step: StepRun) -> None:
        """A step is done: remove what its stages left for each other, and write down what it cost."""
        assert step.made is not None
        note_costs(step)
        step.made.tidy()
        self._claims.release(step.stages[-1])
        step.ended = time.monotonic()
        self._enter(step, "done")

    def _changed(self, step: StepRun) -> None:
        if self._hearer is not None:
            self._hearer.changed(step)

    def _fail(self, step: StepRun, why: str, exit_code: int = 1) -> None:
        step.exit_code = exit_code
        step.ended = time.monotonic()
        if step.made is not None:
            for stage in (step.stage, step.stages[-1]):
                if self._busy.get(stage.id) is step:
                    del self._busy[stage.id]
                try:
                    self._claims.release(stage)
                except TeravoxError:  # it goes stale
                    continue
        self._enter(step, "failed", why)

    def _leave(self, step: StepRun, why: str) -> None:
        self._enter(step, "left", why)

    def _note(self, step: StepRun, note: str) -> bool:
        if step.note != note:
            step.note = note
            self._changed(step)
        return False

    def _enter(self, step: StepRun, state: State, note: str = "") -> bool:
        moved = step.state != state or state == "settling"
        changed = moved or step.note != note
        step.state, step.note = state, note
        if changed:
            self._changed(step)
        return moved


def _left(step: StepRun, stage: Stage, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The tasks that are not done. The ledger is read when the first is asked for: a queue that looks at what it holds
    before that misses none, since a task leaves a queue after its record is written."""
    done = stage.ledger.done(__version__)
    for entry in entries:
        if entry.id in done:
            step.skipped += 1
        else:
            yield entry
