"""`teravox queue wait`: until all is done."""

from __future__ import annotations

import time
from typing import Annotated

from teravox.cli.command import Call
from teravox.cli.queue_command import QueueCommand
from teravox.cli.say import say_tasks
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Seconds, says


class Wait(QueueCommand, frozen=True):
    """Wait until all tasks are done or have failed.

    It changes nothing, and ends with 1 if tasks have failed.
    """

    interval: Annotated[Seconds, says("Time between two looks.", form="seconds")] = 5.0

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as queue:
            while not queue.is_empty():
                time.sleep(max(self.interval, 0.1))
            failed = queue.counts().failed
            if failed:
                print(f"The queue is empty, and {say_tasks(failed)} failed; see: teravox queue failed {queue.url}")
                return ExitCode.FAILED
        return ExitCode.DONE
