"""`teravox queue mv`: the tasks of a queue, in another one instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.cli.command import Call
from teravox.cli.progress import Progress, show_progress
from teravox.cli.say import say_tasks
from teravox.cli.two_queues import TwoQueues
from teravox.pipeline.errors import BadMessage, CannotSay
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.idset import IdSet
from teravox.pipeline.message import ID, open_envelope
from teravox.pipeline.queues.contract import Entry

if TYPE_CHECKING:
    from teravox.pipeline.queues.contract import Lease, Queue

LEASE = 120.0  # seconds that a batch may take
BATCH = 500
LOOKS = 3  # times in a row that nothing can be leased before we stop, where the counts are not exact


class Mv(TwoQueues, frozen=True):
    """Move the tasks that wait into another queue.

    Those that pause, are leased or have failed stay. A task is taken out of SRC only when it is safely in DEST, so a
    stop at any moment loses nothing. In a folder queue what was moved away counts as done.
    """

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as (src, dest):
            with show_progress("queue mv", lambda: src.counts().waiting, quiet=self.quiet) as progress:
                moving = _Moving(src, dest)
                moving.move(progress)
            counts = src.counts()
        if moving.odd:
            print(f"{say_tasks(len(moving.odd))} stayed: not messages of teravox.")
        if moving.known:
            print(
                f"{say_tasks(len(moving.known))} stayed: {dest.url} knows some of them as done. If they are not, make it "
                f"forget them with: teravox queue purge {dest.url} --state done"
            )
        if not self.quiet:
            left = counts.waiting + counts.paused + counts.leased
            print(
                f"{say_tasks(moving.moved)} moved to {dest.url}; {'' if counts.is_exact else 'about '}{left:,} stayed."
            )
        return ExitCode.DONE


class _Moving:
    """One move from queue to queue; what must stay is held until the end, so that it is not met again."""

    def __init__(self, src: Queue, dest: Queue) -> None:
        self.src = src
        self.dest = dest
        self.moved = 0
        self.odd: list[Lease] = []  # not our messages
        self.known: list[Lease] = []  # the destination may have done them
        self._waits_there = _ids(dest)

    def move(self, progress: Progress) -> None:
        nothing = 0
        try:
            while nothing < LOOKS:
                leases = self.src.lease(LEASE, BATCH, wait=1.0 if nothing else 0.0)
                nothing = 0 if leases else nothing + 1
                if leases:
                    progress(self._move_batch(leases))
                elif self._is_surely_drained():
                    break
        finally:
            for lease in (*self.odd, *self.known):
                self.src.release(lease, refund=True)

    def _is_surely_drained(self) -> bool:
        counts = self.src.counts()
        return counts.is_exact and not counts.waiting

    def _move_batch(self, leases: Sequence[Lease]) -> int:
        ours = [(lease, _entry(lease)) for lease in leases]
        self.odd += [lease for lease, entry in ours if entry is None]
        safe = [lease for lease, entry in ours if entry is not None and entry.id in self._waits_there]
        new = [(lease, entry) for lease, entry in ours if entry is not None and entry.id not in self._waits_there]
        if self.dest.insert([entry for _, entry in new], lambda _: None).known:
            self.known += [lease for lease, _ in new]
        else:
            safe += [lease for lease, _ in new]
        moved = sum(self.src.done(safe)) if safe else 0
        self.moved += moved
        return moved


def _ids(queue: Queue) -> IdSet:
    """The tasks that wait, pause or are leased; none where the queue cannot say, and then it does not refuse any."""
    try:
        return IdSet(held.id for held in queue.tasks())
    except CannotSay:
        return IdSet(())


def _entry(lease: Lease) -> Entry | None:
    try:
        id = open_envelope(lease.body).id
    except BadMessage:
        return None
    return Entry(id, lease.body) if ID.fullmatch(id) else None
