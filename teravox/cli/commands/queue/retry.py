"""`teravox queue retry`: another go for what has failed."""

from __future__ import annotations

from teravox.cli.ask import is_agreed
from teravox.cli.command import Call
from teravox.cli.options import Match, Yes
from teravox.cli.queue_command import QueueCommand, matcher
from teravox.cli.say import say_tasks
from teravox.pipeline.exit_codes import ExitCode


class Retry(QueueCommand, frozen=True):
    """Put failed tasks back, with all their attempts before them."""

    match: Match = None
    yes: Yes = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        match = matcher(self.match)
        with self.opened() as queue:
            number = sum(1 for letter in queue.dead() if match(letter))
            if not number:
                print("No failed task is there to be put back.")
                return ExitCode.DONE
            if not is_agreed(f"This puts {say_tasks(number)} back into {queue.url} to be tried again.", yes=self.yes):
                return ExitCode.FAILED
            print(f"{say_tasks(queue.retry(match))} put back.")
        return ExitCode.DONE
