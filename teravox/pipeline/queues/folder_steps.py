"""The protocol of the folder queue, as steps on a file system that somebody else takes.

Each operation is a generator: it yields an action on the disk, is sent the result or thrown the OSError, and
returns its answer. `folder_disk.py` takes the steps on a real file system; tests take them on a simulated one
that crashes, reorders and lies. Every change of state is one rename of a complete file:

    tmp/…  →  queue/0--id  →  queue/deadline--id.attempt.token  →  done/ or failed/ or queue/…--id.attempt

A rename needs the exact present name, which holds the token of the lease: whoever lost the lease gets ENOENT.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Container, Generator
from typing import Any, TypeVar

from teravox.pipeline.queues.contract import Lease
from teravox.pipeline.queues.folder_names import (
    Name,
    deadline_after,
    done_path,
    failed_path,
    fresh,
    parse,
    report_path,
)

T = TypeVar("T")
Action = tuple[Any, ...]  # a word and its arguments; what comes back depends on the word
Steps = Generator[Action, Any, T]

CHUNK = 512  # candidates taken from one look at the folder
LOSSES = 4  # races lost in a row after which other candidates are better
ENOUGH = 100  # races lost in one call after which the listing must be stale, as network file systems' can be
QUIET = 2.0  # seconds: younger changes of a folder may not show in its time stamp yet
LOOK_ANYWAY = 60.0  # seconds after which the time stamp of the folder is not trusted


class FolderSteps:
    """One process' view of a folder queue; the actions are

    ("now",) → float by the file server's clock · ("scan", n) → names in queue/, [] at the end of a pass ·
    ("changed",) → time stamp of queue/ · ("read", path) → bytes · ("write", path, data) · ("rename", old, new) ·
    ("exists", path) → bool · ("unlink", path)
    """

    def __init__(self, worker: str, seed: int | None = None) -> None:
        self.worker = worker
        self._random = random.Random(seed)  # noqa: S311  # spreads workers, guards nothing
        self._serial = itertools.count(1)  # safe to draw from in several threads
        self._candidates: list[str] = []
        self._losses = 0
        self._in_pass = False  # the last look ended in the middle of the folder
        self._idle_since: tuple[float, float, float] | None = None  # folder's time stamp, server time, next deadline

    def insert(self, id: str, body: bytes, known: Container[str] = ()) -> Steps[bool]:
        """Add a task unless it is there in any state; `known` are the ids that were in queue/ a while ago."""
        if id in known:
            return False
        for path in (f"queue/{fresh(id)}", done_path(id), failed_path(id)):
            if (yield ("exists", path)):
                return False
        yield from self._put(f"queue/{fresh(id)}", body)
        return True

    def insert_again(self, id: str, body: bytes, known: Container[str] = (), leases: int = 0) -> Steps[bool]:
        """As `insert`, but a task that is done or dead waits anew, after so many leases, as if there had been none."""
        if id in known or (yield ("exists", f"queue/{fresh(id)}")):
            return False
        was_ended = is_back = False
        for path in (done_path(id), failed_path(id)):
            if (yield ("exists", path)):
                was_ended = True
                try:
                    yield ("rename", path, f"queue/{fresh(id)}")
                except FileNotFoundError:  # somebody else puts it back at this moment
                    continue
                is_back = True
        if not was_ended:
            yield from self._put(f"queue/{fresh(id)}", body)
            return True
        if is_back:
            yield from self._forget_reports(id, leases)
        return is_back

    def lease(self, seconds: float, most: int) -> Steps[list[Lease]]:
        """Claim up to `most` tasks by renaming them to names with a deadline, the next attempt and a token."""
        leases: list[Lease] = []
        now = yield ("now",)
        lost = 0
        while len(leases) < most and lost < ENOUGH:
            if not self._candidates and not (yield from self._look(now)):
                break
            old = parse(self._candidates.pop())
            assert old is not None  # _free has looked
            now = yield ("now",)  # again: a look at a large folder takes its time
            new = Name(deadline_after(now, seconds), old.id, old.attempt + 1, self._token())
            try:
                yield ("rename", f"queue/{old}", f"queue/{new}")
            except FileNotFoundError:
                lost += 1
                self._lose()
                continue
            self._losses = 0
            try:
                body = yield ("read", f"queue/{new}")
            except FileNotFoundError:  # released or purged by hand at this very moment
                continue
            leases.append(Lease(old.id, body, new.attempt, float(new.deadline), new.token))
        return leases

    def renew(self, lease: Lease, seconds: float) -> Steps[Lease | None]:
        """Move the deadline; None if the lease was lost."""
        now = yield ("now",)
        deadline = deadline_after(now, seconds)
        new = Name(deadline, lease.id, lease.attempt, lease.token)
        try:
            yield ("rename", f"queue/{_name(lease)}", f"queue/{new}")
        except FileNotFoundError:
            return None
        return Lease(lease.id, lease.body, lease.attempt, float(deadline), lease.token)

    def done(self, lease: Lease) -> Steps[bool]:
        """Move the task to done/."""
        try:
            yield ("rename", f"queue/{_name(lease)}", done_path(lease.id))
        except FileNotFoundError:
            return False
        yield from self._forget_reports(lease.id, lease.attempt - 1)
        return True

    def withdraw(self, lease: Lease) -> Steps[bool]:
        """Remove the task as if it had never been there."""
        try:
            yield ("unlink", f"queue/{_name(lease)}")
        except FileNotFoundError:
            return False
        yield from self._forget_reports(lease.id, lease.attempt - 1)
        return True

    def release(self, lease: Lease, pause: float, refund: bool, report: bytes | None) -> Steps[bool]:
        """Give the task back, under a name without a token."""
        deadline = deadline_after((yield ("now",)), pause) if pause > 0 else 0
        back = Name(deadline, lease.id, lease.attempt - 1 if refund else lease.attempt)
        return (yield from self._leave(lease, f"queue/{back}", report))

    def fail(self, lease: Lease, report: bytes) -> Steps[bool]:
        """Move the task to failed/; its report is there before it is."""
        return (yield from self._leave(lease, failed_path(lease.id), report))

    def retry(self, id: str, attempts: int) -> Steps[bool]:
        """Move a dead letter back, as if it had never been leased."""
        try:
            yield ("rename", failed_path(id), f"queue/{fresh(id)}")
        except FileNotFoundError:
            return False
        yield from self._forget_reports(id, attempts)
        return True

    def free(self, name: Name) -> Steps[bool]:
        """Void a lease or a pause."""
        try:
            yield ("rename", f"queue/{name}", f"queue/{Name(0, name.id, name.attempt)}")
        except FileNotFoundError:
            return False
        return True

    def _leave(self, lease: Lease, path: str, report: bytes | None) -> Steps[bool]:
        if report is not None:
            yield from self._put(report_path(lease.id, lease.attempt), report)
        try:
            yield ("rename", f"queue/{_name(lease)}", path)
        except FileNotFoundError:
            arrived = yield ("exists", path)  # NFS may do a rename and lose its answer: then the report is wanted
            if report is not None and not arrived:
                yield from self._remove(report_path(lease.id, lease.attempt))
            return False
        return True

    def _put(self, path: str, data: bytes) -> Steps[None]:
        temporary = f"tmp/{self.worker}.{next(self._serial):x}"
        yield ("write", temporary, data)
        yield ("rename", temporary, path)

    def _remove(self, path: str) -> Steps[None]:
        try:
            yield ("unlink", path)
        except FileNotFoundError:
            return

    def _forget_reports(self, id: str, attempts: int) -> Steps[None]:
        for attempt in range(1, attempts + 1):
            yield from self._remove(report_path(id, attempt))

    def _look(self, now: float) -> Steps[bool]:
        """Fill the candidates from the folder, going on where the last look ended; False if there is none."""
        if (yield from self._is_idle(now)):
            return False
        stamp = yield ("changed",)
        next_deadline = float("inf")
        whole = not self._in_pass  # a pass from its beginning to its end
        while True:
            self._in_pass = True  # also when the scan fails: what it would have shown has not been looked at
            names = yield ("scan", CHUNK)
            self._in_pass = bool(names)
            if not names:
                if whole:
                    self._idle_since = (stamp, now, next_deadline)
                    return False
                whole, stamp, next_deadline = True, (yield ("changed",)), float("inf")
                continue
            free, waiting_for = _free(names, now)
            next_deadline = min(next_deadline, waiting_for)
            if free:
                start = self._random.randrange(len(free))
                self._candidates = free[start:] + free[:start]  # others look at the same names: begin elsewhere
                self._losses = 0
                return True

    def _is_idle(self, now: float) -> Steps[bool]:
        """Nothing can have become free since a whole pass found nothing: spares idle workers the scan."""
        if self._idle_since is None:
            return False
        stamp, since, next_deadline = self._idle_since
        if now < next_deadline and now - since < LOOK_ANYWAY and stamp < since - QUIET:
            return bool((yield ("changed",)) == stamp)
        self._idle_since = None
        return False

    def _lose(self) -> None:
        self._losses += 1
        if self._losses >= LOSSES:
            self._candidates = []
            self._losses = 0

    def _token(self) -> str:
        return f"{self.worker}{next(self._serial):x}"


def _name(lease: Lease) -> Name:
    return Name(int(lease.deadline), lease.id, lease.attempt, lease.token)


def _free(names: list[str], now: float) -> tuple[list[str], float]:
    """The names of tasks that may be leased now, and the next deadline of the others."""
    free: list[str] = []
    next_deadline = float("inf")
    for name in names:
        head = name.partition("--")[0]
        if not head.isdecimal():
            continue
        deadline = int(head)
        if deadline <= now:
            if parse(name) is not None:
                free.append(name)
        elif deadline < next_deadline:
            next_deadline = deadline
    return free, next_deadline
