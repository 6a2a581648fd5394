"""Finished tasks on their way into the ledgers, and out of the queue."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from teravox import __version__
from teravox.pipeline.ledger import Ledger, LedgerWriter, Record
from teravox.pipeline.queues.contract import Lease
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.worker.leases import LeaseKeeper
from teravox.pipeline.worker.wire import Done


class Account(NamedTuple):
    """The ledger of one job that this worker has done tasks of, and a message to find the job again."""

    writer: LedgerWriter
    body: bytes
    waiting: list[Lease]  # recorded, and in the queue until the record is safe


class Accounts:
    """A task leaves the queue only when its record is safe: a kill repeats work, and never loses a record."""

    def __init__(self, keeper: LeaseKeeper, worker: str, host: str) -> None:
        self._keeper = keeper
        self._worker = worker
        self._host = host
        self._accounts: dict[str, Account] = {}
        self.unfinished: set[str] = set()  # jobs with tasks done since somebody looked whether they are complete

    def add(self, lease: Lease, done: Done) -> None:
        """Write the record of a task."""
        account = self._accounts.get(done.job_id)
        if account is None:
            writer = Ledger(open_store(done.home), done.job_id).writer(self._worker)
            account = self._accounts[done.job_id] = Account(writer, lease.body, [])
        account.waiting.append(lease)
        account.writer.add(
            Record(
                id=done.id,
                piece=msgspec.json.decode(done.piece),
                version=__version__,
                host=self._host,
                worker=self._worker,
                attempt=lease.attempt,
                started=done.started,
                seconds=done.seconds,
                cpu_seconds=done.cpu_seconds,
                peak_bytes=done.peak_bytes,
                bytes_in=done.bytes_in,
                bytes_out=done.bytes_out,
                outputs=done.outputs,
                requests_in=done.requests_in,
                requests_out=done.requests_out,
            )
        )

    @property
    def is_owing(self) -> bool:
        """Tasks are finished and still in the queue."""
        return any(account.waiting for account in self._accounts.values())

    def settle(self, *, now: bool = False) -> tuple[int, int]:
        """Make records safe and take their tasks out of the queue, where it is due; how many, and how many
        of them this worker had lost the lease of."""
        done = lost = 0
        for job_id, account in self._accounts.items():
            if account.waiting and (now or account.writer.is_due()):
                account.writer.flush()
                answers = self._keeper.done(account.waiting)
                account.waiting.clear()
                done += sum(answers)
                lost += answers.count(False)
                self.unfinished.add(job_id)
        return done, lost

    def body_of(self, job_id: str) -> bytes:
        """A message of a job."""
        return self._accounts[job_id].body
