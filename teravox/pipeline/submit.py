"""A job into tasks: in a queue for workers, or here and now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger, finish_if_complete, skip_done
from teravox.pipeline.message import encode, job_id
from teravox.pipeline.queues.contract import Entry, Queue
from teravox.pipeline.storage.durability import durable_writes
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.worker.settings import Outcome, WorkerSettings
from teravox.pipeline.worker.supervisor import Progress, work


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of putting a job's tasks into a queue."""

    total: int
    new: int
    known: int  # were in the queue before
    skipped: int  # are done already, says the ledger


class Prepared:
    """A job whose destination and ledger are ready, and its tasks."""

    def __init__(self, job: AnyJob, kind: str, *, resume: bool, command: str) -> None:
        job.prepare()
        pieces = job.pieces()
        self.job = job
        self.total = len(pieces)
        self.ledger = Ledger(open_store(job.home()), job_id(kind, job))
        self.ledger.open(kind, job, self.total, command)
        self._skip = skip_done(encode(kind, job, pieces), self.ledger) if resume else None
        self.entries: Iterator[Entry] = self._skip if self._skip is not None else encode(kind, job, pieces)

    @property
    def skipped(self) -> int:
        """How many tasks were left out so far, since they are done."""
        return self._skip.skipped if self._skip is not None else 0

    def finish(self) -> None:
        """Do the job's last duties where nothing was left to do: a worker may have died just before them."""
        finish_if_complete(self.ledger, self.job)


def submit(
    job: AnyJob, kind: str, queue: Queue, *, resume: bool, command: str, progress: Callable[[int], None]
) -> Submitted:
    """Put a job's tasks into a queue; `progress(n)` after n more of them are safe or skipped."""
    prepared = Prepared(job, kind, resume=resume, command=command)
    inserted = queue.insert(prepared.entries, progress)
    if not inserted.new:
        prepared.finish()
    return Submitted(total=prepared.total, new=inserted.new, known=inserted.known, skipped=prepared.skipped)


def run_here(
    job: AnyJob, kind: str, settings: WorkerSettings, *, resume: bool, command: str, progress: Progress | None
) -> Outcome:
    """Do a job's tasks in processes of this machine, until all are done or dead."""
    from teravox.pipeline.queues.memory import MemoryQueue

    with durable_writes(settings.durable):
        prepared = Prepared(job, kind, resume=resume, command=command)
        outcome = work(MemoryQueue(prepared.entries), settings, progress)
        if outcome.stopped_by == "signal":
            return msgspec.structs.replace(outcome, exit_code=int(ExitCode.INTERRUPTED))
        if not outcome.done:
            prepared.finish()
        return outcome
