"""What becomes of a task that was not done: tried again, or put to the dead letters."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from teravox.pipeline.failure import Failure, Sort
from teravox.pipeline.queues.contract import Lease
from teravox.pipeline.units import say_seconds
from teravox.pipeline.worker.leases import LeaseKeeper
from teravox.pipeline.worker.log import Log
from teravox.pipeline.worker.treatment import TREATMENT, pause_before


class Verdicts:
    """Gives tasks back or up, says so, and counts."""

    def __init__(
        self, keeper: LeaseKeeper, log: Log, *, tries: int, worker: str, host: str, on_failed: Callable[[], None]
    ) -> None:
        self._keeper = keeper
        self._log = log
        self._tries = tries
        self._worker = worker
        self._host = host
        self._on_failed = on_failed
        self.failed = self.retried = self.released = 0
        self.unfinished = 0  # jobs whose last duties failed

    def failure(self, lease: Lease, sort: Sort, error: str, text: str, *, seconds: float = 0.0) -> Failure:
        """The report of an attempt that ended now."""
        return Failure(
            attempt=lease.attempt,
            sort=sort,
            error=error,
            text=text,
            host=self._host,
            worker=self._worker,
            started=time.time() - seconds,
            seconds=seconds,
        )

    def is_worn_out(self, lease: Lease) -> bool:
        """The task had all its attempts, and none of them said how it ended."""
        return lease.attempt > self._tries

    def bury_worn_out(self, lease: Lease) -> None:
        text = (
            f"it was leased {lease.attempt - 1} times, and no worker came back to say how it went: "
            "they were killed, or their machines were lost"
        )
        failure = self.failure(lease, "lost", "Lost", text)
        self.bury(lease, msgspec.structs.replace(failure, attempt=lease.attempt - 1))  # this lease is none

    def judge(self, lease: Lease, failure: Failure) -> None:
        """Do with a failed attempt what the table says."""
        treatment = TREATMENT[failure.sort]
        if treatment.refund:
            self.give_back(lease)
        elif treatment.tries_again and lease.attempt < self._tries:
            self.try_again(lease, failure)
        else:
            self.bury(lease, failure)

    def give_back(self, lease: Lease) -> None:
        """Nothing is wrong with the task: its attempt does not count where the queue can take it back."""
        if self._keeper.release(lease, refund=True):
            self.released += 1
        else:
            self._log.warning(f"task {lease.id}: its lease was lost before it could be given back")

    def try_again(self, lease: Lease, failure: Failure) -> None:
        pause = pause_before(failure.sort, lease.attempt)
        if not self._keeper.release(lease, pause=pause, failure=failure):
            self._log.warning(f"task {lease.id}: its lease was lost before it could be given back")
            return
        self.retried += 1
        self._log.warning(
            f"attempt {lease.attempt} of {self._tries} of task {lease.id} failed ({failure.sort}): {failure.text}; "
            f"again in {say_seconds(pause)}",
            event="retry",
            id=lease.id,
            attempt=failure.attempt,
            sort=failure.sort,
        )

    def bury(self, lease: Lease, failure: Failure) -> None:
        """Put a task to the dead letters."""
        if not self._keeper.fail(lease, failure):
            self._log.warning(f"task {lease.id}: its lease was lost before it could be put to the dead letters")
            return
        self.failed += 1
        self._on_failed()
        self._log.error(
            f"task {lease.id} failed for good at attempt {failure.attempt} ({failure.sort}): {failure.text}",
            event="failed",
            id=lease.id,
            attempt=failure.attempt,
            sort=failure.sort,
        )
