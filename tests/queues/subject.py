"""A queue under test: how it is opened, how time passes for it, and the differences that the contract allows."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from teravox.pipeline.failure import Failure
from teravox.pipeline.queues.contract import Entry, Lease, Queue

PATIENCE = 60.0  # seconds after which a task that should have come will not


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One implementation in one fresh place."""

    open: Callable[[], Queue]  # each call is a view of the same queue, as another process would have it
    tick: Callable[[], None]  # lets a moment pass
    knows_tasks_again: bool = True
    takes_attempts_back: bool = True
    keeps_failures: bool = True
    keeps_workers: bool = True
    counts_exactly: bool = True
    counts_see_expiry: bool = True  # fauxqs looks at its clock only when somebody wants a task
    lists_tasks: bool = True
    purges_each_state: bool = True

    def take(self, queue: Queue, number: int = 1, seconds: float = 60.0) -> list[Lease]:
        """Lease until `number` tasks came; fails when they do not."""
        leases: list[Lease] = []
        deadline = time.monotonic() + PATIENCE
        while len(leases) < number:
            leases += queue.lease(seconds, number - len(leases))
            assert time.monotonic() < deadline, f"only {len(leases)} of {number} tasks came"
            if len(leases) < number:
                self.tick()
        return leases

    def take_one(self, queue: Queue, seconds: float = 60.0) -> Lease:
        (lease,) = self.take(queue, 1, seconds)
        return lease

    def until(self, is_so: Callable[[], bool]) -> None:
        """Let time pass until something is so; fails when it does not become so."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, "it did not become so"
            self.tick()


def entry(n: int, *, size: int = 0) -> Entry:
    """A task like any other: its id is a hash and stands in its body; `size` bytes long or a bit more."""
    id = hashlib.sha256(b"task %d" % n).hexdigest()[:32]
    body = {"v": 1, "kind": "trial", "job": {"text": "ä\u2028" + "x" * size}, "piece": {"n": n}, "id": id}
    return Entry(id, json.dumps(body, ensure_ascii=False).encode())


def put(queue: Queue, entries: Sequence[Entry]) -> None:
    """Insert, when nobody looks at the progress."""
    queue.insert(entries, lambda _: None)


def failure(attempt: int = 1, **changes: object) -> Failure:
    report = {
        "attempt": attempt,
        "sort": "error",
        "error": "ValueError",
        "text": "ünwanted: \x00 \x1b[31m \ufffe \U0001f9e0",
        "host": "node-1",
        "worker": "node-1-77",
        "started": 1_700_000_000.25,
        "seconds": 1.5,
        "traceback": 'Traceback (most recent call last):\n  File "forge.py", line 3\nValueError: <&>"\'',
        "log": ("one", "two"),
    }
    return Failure(**{**report, **changes})  # type: ignore[arg-type]  # a report by its fields' names
