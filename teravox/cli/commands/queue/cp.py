"""`teravox queue cp`: the tasks of a queue, in another one too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.cli.command import Call
from teravox.cli.progress import show_progress
from teravox.cli.say import say_tasks
from teravox.cli.two_queues import TwoQueues
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.queues.contract import Entry

if TYPE_CHECKING:
    from teravox.pipeline.queues.contract import Queue


class Cp(TwoQueues, frozen=True):
    """Copy the tasks that are not done or failed into another queue.

    SQS cannot list its tasks, so it cannot be copied from; use mv.
    """

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as (source, dest):
            entries = _entries(source)
            with show_progress("queue cp", lambda: _count(source), quiet=self.quiet) as progress:
                inserted = dest.insert(entries, progress)
        if not self.quiet:
            print(f"{say_tasks(inserted.new)} copied to {dest.url} ({inserted.known:,} were there already).")
        return ExitCode.DONE


def _entries(source: Queue) -> Iterator[Entry]:
    return (Entry(held.id, body) for held, body in source.messages())


def _count(source: Queue) -> int:
    counts = source.counts()
    return counts.waiting + counts.paused + counts.leased
