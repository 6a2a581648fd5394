"""`teravox queue purge`: tasks are removed for ever."""

from __future__ import annotations

from typing import Annotated, get_args

from teravox.cli.ask import is_agreed
from teravox.cli.command import Call
from teravox.cli.options import Yes
from teravox.cli.queue_command import QueueCommand
from teravox.cli.say import say_tasks
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says
from teravox.pipeline.queues.contract import Counts, State

_ALL: tuple[State, ...] = get_args(State)


class Purge(QueueCommand, frozen=True):
    """Remove tasks from a queue for ever.

    All of them, or those in some states. What they have written into layers stays.
    """

    state: Annotated[tuple[State, ...], says("States to remove, with commas between them. Default: all.")] = ()
    yes: Yes = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        states = self.state or _ALL
        with self.opened() as queue:
            said = ", ".join(_say(queue.counts(), state) for state in states)
            if not is_agreed(f"This removes from {queue.url}, for ever: {said}.", yes=self.yes):
                return ExitCode.FAILED
            print(f"{say_tasks(queue.purge(states))} removed.")
        return ExitCode.DONE


def _say(counts: Counts, state: State) -> str:
    number: int | None = getattr(counts, state)
    if number is None:
        return f"an unknown number {state}"
    return f"{'' if counts.is_exact else 'about '}{number:,} {state}"
