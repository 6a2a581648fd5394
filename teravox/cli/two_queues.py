"""What copying and moving between queues share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Annotated

from teravox.cli.command import Command
from teravox.cli.options import EndpointUrl, Quiet, Region
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.pipeline.queues.contract import Queue


class TwoQueues(Command, frozen=True, kw_only=True):
    """A command from one queue to another."""

    source: Annotated[str, says("Queue to take from.", form="queue", positional=True)]
    dest: Annotated[str, says("Queue to add to; a folder is made if it is not there.", form="queue", positional=True)]
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    @contextmanager
    def opened(self) -> Iterator[tuple[Queue, Queue]]:
        from teravox.pipeline.queues.open import open_queue

        if self.source == self.dest:
            raise BadUsage(f"SOURCE and DEST are the same queue, {self.source}")
        with ExitStack() as stack:
            source, dest = (
                stack.enter_context(
                    closing(open_queue(url, region=self.region, endpoint=self.endpoint_url, create=create))
                )
                for url, create in ((self.source, False), (self.dest, True))
            )
            yield source, dest
