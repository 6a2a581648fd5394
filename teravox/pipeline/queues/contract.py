"""What every queue promises; tests/queues/test_contract.py holds memory, folder and SQS to it.

The promise: a task that was inserted is delivered until it is done or dead, at least once.
Nothing here is exact but what says so; the work itself may run twice, so a rare second delivery does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

from teravox.pipeline.failure import DeadLetter, Failure

State = Literal["waiting", "paused", "leased", "done", "failed"]


class Entry(msgspec.Struct, frozen=True):
    """A task on its way into a queue: the hash that names it, and its JSON."""

    id: str
    body: bytes


class Lease(msgspec.Struct, frozen=True):
    """A worker's claim on a task; `token` is what the queue needs to know the holder again."""

    id: str  # as the queue names it; the body has not been checked yet
    body: bytes
    attempt: int  # 1 at the first lease, counted by the queue, so a worker that dies has used one up
    deadline: float  # Unix time by the queue's own clock
    token: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks are where; None is what this queue cannot know."""

    waiting: int  # free to be leased
    paused: int  # to be tried again after a pause
    leased: int
    done: int | None
    failed: int | None
    is_exact: bool
    foreign: int = 0  # files that are not tasks of ours, left alone


class Held(msgspec.Struct, frozen=True):
    """A task in the queue as `queue ls` shows it; `holder` is the worker's name while it is leased."""

    id: str
    state: State
    attempt: int
    deadline: float
    holder: str


class WorkerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of itself from time to time."""

    name: str
    host: str
    pid: int
    started: float
    seen: float  # Unix time of this record, by the worker
    processes: int
    done: int
    failed: int
    rate: float  # tasks a second over the last minutes
    plugins: tuple[str, ...] = ()


class Inserted(msgspec.Struct, frozen=True):
    """What came of an insert."""

    new: int
    known: int  # stayed as they were: in the queue, and without `again` done or dead; SQS cannot see this and says 0


class Queue(Protocol):
    """A place where tasks wait. Methods raise QueueTrouble when the queue cannot be reached or written."""

    url: str

    def insert(self, entries: Iterable[Entry], progress: Callable[[int], None], *, again: bool = False) -> Inserted:
        """Add tasks, reading the iterable only as fast as they are stored; `progress(n)` after n more are safe.

        May be repeated: an entry is named by its content, so what is there, leased, done or dead is not added
        again (SQS adds it, and it runs twice). Atomic for each entry: it is there whole or not at all.
        With `again` what is done or dead is to be done once more: it is free as if it had never been leased, and
        no longer done or dead; what waits, pauses or is leased stays as it is.
        Raises QueueTrouble if any entry could not be stored, after saying how many were.
        """

    def lease(self, seconds: float, most: int = 1, wait: float = 0.0) -> list[Lease]:
        """Claim up to `most` tasks for `seconds`; waits at most `wait` seconds for the first one.

        Atomic for each task: of all callers at one moment, one gets it. The attempt is counted here.
        An empty list says that none could be had now, not that the queue is empty.
        """

    def renew(self, leases: Sequence[Lease], seconds: float) -> list[Lease | None]:
        """Extend claims to `seconds` from now, in the same order and under the same tokens; None where the lease was lost to the clock,
        a release or a purge, and the holder must stop. May be repeated."""

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        """Take finished tasks out of the queue; False where the lease was lost: then nothing was changed."""

    def withdraw(self, leases: Sequence[Lease]) -> list[bool]:
        """Take tasks out of the queue that are not done, as if they had never been there; False as for `done`."""

    def release(
        self, lease: Lease, *, pause: float = 0.0, refund: bool = False, failure: Failure | None = None
    ) -> bool:
        """Give a task back, to be free after `pause` seconds; False where the lease was lost.

        `refund` takes the attempt back where the queue can (SQS cannot). `failure` is kept with the task
        where the queue can (SQS cannot).
        """

    def fail(self, lease: Lease, failure: Failure) -> bool:
        """Move a task to the dead letters with its report; False where the lease was lost.

        Atomic: the task is in the queue or among the dead letters, on SQS for a moment in both.
        """

    def counts(self) -> Counts:
        """How many tasks are where, derived from what is there. Changes nothing."""

    def is_empty(self) -> bool:
        """No task waits, pauses or is leased."""

    def tasks(self) -> Iterator[Held]:
        """Every task that waits, pauses or is leased. Changes nothing; raises CannotSay on SQS."""

    def messages(self) -> Iterator[tuple[Held, bytes]]:
        """As `tasks`, with their messages; tasks that end meanwhile are left out."""

    def dead(self) -> Iterator[DeadLetter]:
        """The dead letters with their reports."""

    def retry(self, match: Callable[[DeadLetter], bool]) -> int:
        """Put the matching dead letters back, attempts at zero; how many. May be repeated."""

    def release_all(self) -> int:
        """Void every lease and pause; how many. The holders lose their claims."""

    def purge(self, states: Sequence[State]) -> int:
        """Remove all tasks in these states for ever; how many (SQS: about). May be repeated."""

    def note_worker(self, record: WorkerRecord) -> None:
        """Keep a worker's latest record where the queue has a place for it (SQS has none)."""

    def workers(self) -> list[WorkerRecord]:
        """The latest record of every worker that left one."""

    def close(self) -> None:
        """Free what the queue holds open; leases stay."""
