"""`teravox queue release`: leases and pauses end at once."""

from __future__ import annotations

from teravox.cli.ask import is_agreed
from teravox.cli.command import Call
from teravox.cli.options import Yes
from teravox.cli.queue_command import QueueCommand
from teravox.cli.say import say_tasks
from teravox.pipeline.exit_codes import ExitCode


class Release(QueueCommand, frozen=True):
    """End all leases and pauses, so that these tasks are free at once.

    Workers that are alive lose what they are doing; use it when they are gone.
    """

    yes: Yes = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as queue:
            counts = queue.counts()
            about = "" if counts.is_exact else "about "
            plan = (
                f"This frees {about}{counts.leased:,} leased and {about}{counts.paused:,} paused tasks of {queue.url}; "
                "workers that are alive lose what they are doing."
            )
            if not is_agreed(plan, yes=self.yes):
                return ExitCode.FAILED
            print(f"{say_tasks(queue.release_all())} released.")
        return ExitCode.DONE
