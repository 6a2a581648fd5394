"""`teravox queue ls`: the tasks of a queue, one a line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

from teravox.cli.command import Call
from teravox.cli.options import Limit
from teravox.cli.queue_command import QueueCommand
from teravox.cli.say import plain, say_task
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.pipeline.queues.contract import Queue


class Ls(QueueCommand, frozen=True):
    """List tasks: id, state, attempt, kind, piece, and who holds it.

    Changes nothing. SQS cannot list its tasks, only those that failed.
    """

    state: Annotated[
        Literal["waiting", "paused", "leased", "failed"] | None,
        says("Only tasks in this state. Default: all that wait, pause or are leased."),
    ] = None
    limit: Limit = 50

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as queue:
            lines = self._lines(queue)
            for line in islice(lines, self.limit):
                print(line)
            if next(lines, None) is not None:
                print(f"… and more; see them with --limit {self.limit * 10}")
        return ExitCode.DONE

    def _lines(self, queue: Queue) -> Iterator[str]:
        if self.state == "failed":
            for letter in queue.dead():
                yield _line(letter.id, "failed", letter.attempts, letter.body, "")
            return
        for held, body in queue.messages():
            if self.state in {None, held.state}:
                yield _line(held.id, held.state, held.attempt, body, held.holder)


def _line(id: str, state: str, attempt: int, body: bytes, holder: str) -> str:
    kind, piece = say_task(body)
    return f"{plain(id):32}  {state:7}  {attempt:3}  {kind}  {piece}  {plain(holder)}".rstrip()
