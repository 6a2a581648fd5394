"""`teravox queue mv`: the tasks of a queue, in another one instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.cli.command import Call
from teravox.cli.progress import Progress, show_progress
from teravox.cli.say import say_tasks
from teravox.cli.two_queues import TwoQueues
from teravox.pipeline.errors import BadMessage
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.message import ID, open_envelope
from teravox.pipeline.queues.contract import Entry

if TYPE_CHECKING:
    from teravox.pipeline.queues.contract import Lease, Queue

LEASE = 120.0  # seconds that a batch may take
BATCH = 500
LOOKS = 3  # times in a row that nothing can be leased before we stop, where the counts are not exact


class Mv(TwoQueues, frozen=True):
    """Move the tasks that wait into another queue.

    Those that pause, are leased or have failed stay. A task is taken out of SOURCE only when it is safely in DEST, so a
    stop at any moment loses nothing. What DEST knows already, as waiting, done or failed, is not added there again.
    """

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as (source, dest):
            with show_progress("queue mv", lambda: source.counts().waiting, quiet=self.quiet) as progress:
                moving = _Moving(source, dest)
                moving.move(progress)
            counts = source.counts()
        if moving.odd:
            print(f"{say_tasks(len(moving.odd))} stayed: not messages of teravox.")
        if not self.quiet:
            left = counts.waiting + counts.paused + counts.leased
            known = f" ({moving.known:,} were there already)" if moving.known else ""
            print(
                f"{say_tasks(moving.moved)} moved to {dest.url}{known}; "
                f"{'' if counts.is_exact else 'about '}{left:,} stayed."
            )
        return ExitCode.DONE


class _Moving:
    """One move from queue to queue; what must stay is held until the end, so that it is not met again."""

    def __init__(self, source: Queue, dest: Queue) -> None:
        self.source = source
        self.dest = dest
        self.moved = 0
        self.known = 0
        self.odd: list[Lease] = []  # not our messages

    def move(self, progress: Progress) -> None:
        nothing = 0
        try:
            while nothing < LOOKS:
                leases = self.source.lease(LEASE, BATCH, wait=1.0 if nothing else 0.0)
                nothing = 0 if leases else nothing + 1
                if leases:
                    progress(self._move_batch(leases))
                elif self._is_surely_drained():
                    break
        finally:
            for lease in self.odd:
                self.source.release(lease, refund=True)

    def _is_surely_drained(self) -> bool:
        counts = self.source.counts()
        return counts.is_exact and not counts.waiting

    def _move_batch(self, leases: Sequence[Lease]) -> int:
        entries = [(lease, _entry(lease)) for lease in leases]
        self.odd += [lease for lease, entry in entries if entry is None]
        ours = [(lease, entry) for lease, entry in entries if entry is not None]
        self.known += self.dest.insert([entry for _, entry in ours], lambda _: None).known
        moved = sum(self.source.withdraw([lease for lease, _ in ours])) if ours else 0
        self.moved += moved
        return moved


def _entry(lease: Lease) -> Entry | None:
    try:
        id = open_envelope(lease.body).id
    except BadMessage:
        return None
    return Entry(id, lease.body) if ID.fullmatch(id) else None
