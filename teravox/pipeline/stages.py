"""Jobs that follow each other, each needing all of the one before: here and now, or by workers elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from teravox.pipeline.errors import BadMessage, TeravoxError
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger, finish_if_complete
from teravox.pipeline.message import decode, job_id
from teravox.pipeline.queues.contract import Lease, Queue
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.submit import Prepared, submit
from teravox.pipeline.worker.settings import Outcome, WorkerSettings
from teravox.pipeline.worker.supervisor import Progress, work

LONGEST_PAUSE = 30.0  # seconds between two looks at the ledger of a stage
SHARE = 10  # a pause is that many times as long as a look, so that looking costs little


class Stage(NamedTuple):
    """One of the jobs, and its kind."""

    kind: str
    job: AnyJob

    @property
    def id(self) -> str:
        return job_id(self.kind, self.job)

    @property
    def ledger(self) -> Ledger:
        return Ledger(open_store(self.job.home()), self.id)


class StageFailed(TeravoxError):
    """Tasks of a stage have failed or are lost, so the next one must not begin."""


def run_stages_here(
    stages: Sequence[Stage], settings: WorkerSettings, *, command: str, progress: Progress | None
) -> Outcome:
    """Do stages one after another in the same processes, without what is done already; none after one that failed."""
    queue = _StagedQueue(stages, command, progress)
    outcome = work(queue, settings, progress)
    if outcome.stopped_by == "signal":
        return msgspec.structs.replace(outcome, exit_code=int(ExitCode.INTERRUPTED))
    if queue.trouble is not None:
        raise queue.trouble
    if outcome.exit_code == ExitCode.DONE:
        for stage in stages:
            finish_if_complete(stage.ledger, stage.job)
    return outcome


class _StagedQueue(MemoryQueue):
    """Brings the tasks of a stage when those of the one before are done, and none after a failure.

    A task leaves the queue when its record is safe, so a stage is prepared when the ledger has all of the one before.
    """

    def __init__(self, stages: Sequence[Stage], command: str, progress: Progress | None) -> None:
        super().__init__()
        self.trouble: TeravoxError | None = None
        self._stages = iter(stages)
        self._command = command
        self._progress = progress
        self._current: Prepared | None = None

    def lease(self, seconds: float, most: int = 1, wait: float = 0.0) -> list[Lease]:
        return super().lease(seconds, most, 0.0 if self.is_empty() else wait)  # nothing comes to one that is empty

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        answers = super().done(leases)
        with self._changed:
            self._changed.notify_all()  # whoever waits for a task may get the first one of the next stage
        return answers

    def _pull(self) -> bool:
        while not super()._pull():
            if self._slots or self._dead or self.trouble is not None:
                return False
            self._tell_skipped()
            stage = next(self._stages, None)
            if stage is None:
                return False
            try:
                self._current = Prepared(stage.job, stage.kind, resume=True, command=self._command)
            except TeravoxError as error:
                self.trouble = error
                return False
            self._feed = self._current.entries
        return True

    def _tell_skipped(self) -> None:
        if self._current is not None and self._progress is not None:
            self._progress(self._current.skipped, 0)
        self._current = None


def run_stages_elsewhere(
    stages: Sequence[Stage],
    queue: Queue,
    registry: Registry,
    *,
    command: str,
    interval: float,
    say: Callable[[str], None],
) -> None:
    """Put one stage after another into a queue, and wait until the workers have done it.

    It may be interrupted and repeated at any time: what the ledger has is not done again. StageFailed as soon as a task
    has failed for good, and nothing further is put into the queue.
    """
    for number, stage in enumerate(stages, start=1):
        ledger = stage.ledger
        if not ledger.is_complete():
            submitted = submit(stage.job, stage.kind, queue, resume=True, command=command, progress=lambda _: None)
            left = submitted.new + submitted.known
            say(f"{number} of {len(stages)}: {stage.kind}, {left:,} of {submitted.total:,} tasks to be done")
            _wait(stage, ledger, queue, registry, interval)
        finish_if_complete(ledger, stage.job)


def _wait(stage: Stage, ledger: Ledger, queue: Queue, registry: Registry, interval: float) -> None:
    while True:
        began = time.monotonic()
        is_empty = queue.is_empty()  # looked at before the ledger, which has all that has left the queue
        if ledger.is_complete():
            return
        failed = count_failed(stage, queue, registry)
        if failed:
            raise StageFailed(
                f"{'1 task' if failed == 1 else f'{failed:,} tasks'} of {stage.kind} failed, so no further stage begins; "
                f"see: teravox queue failed {queue.url}. "
                f"When the cause is gone, run: teravox queue retry {queue.url}, and this command again"
            )
        if is_empty:
            raise StageFailed(
                f"tasks of {stage.kind} have left {queue.url} and are not in the ledger at {stage.job.home()}: they were "
                f"purged, or are known there from before. Run: teravox queue purge {queue.url} --state done, "
                "and this command again"
            )
        time.sleep(max(interval, min(LONGEST_PAUSE, SHARE * (time.monotonic() - began))))


def count_failed(stage: Stage, queue: Queue, registry: Registry) -> int:
    """How many tasks of a stage are among the dead letters, which may hold those of other jobs too."""
    if queue.counts().failed == 0:
        return 0
    id = stage.id
    failed = 0
    for letter in queue.dead():
        try:
            failed += decode(letter.body, registry).job_id == id
        except BadMessage:  # somebody else's
            continue
    return failed
