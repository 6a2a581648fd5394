"""`teravox queue create`: an empty queue."""

from __future__ import annotations

from teravox.cli.command import Call, Command
from teravox.cli.options import EndpointUrl, Queue, Region
from teravox.pipeline.exit_codes import ExitCode


class Create(Command, frozen=True):
    """Make an empty queue; one that is there already stays as it is.

    On SQS it makes the queue and the one of its dead letters, NAME-failed, and needs the right to do so.
    """

    queue: Queue
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        if self.queue.startswith("fq://"):
            from teravox.pipeline.queues.open import open_queue

            open_queue(self.queue, create=True).close()
            print(f"{self.queue} is ready.")
        else:
            from teravox.pipeline.queues.sqs_create import create_sqs_queue

            url = create_sqs_queue(self.queue, region=self.region, endpoint=self.endpoint_url)
            print(f"{url} is ready.")
        return ExitCode.DONE
