"""What the commands about one queue share: which one it is, and that it is closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from teravox.cli.command import Command
from teravox.cli.options import EndpointUrl, Queue, Region
from teravox.cli.say import say_task
from teravox.pipeline.failure import DeadLetter

if TYPE_CHECKING:
    from teravox.pipeline.queues import contract


class QueueCommand(Command, frozen=True, kw_only=True):
    """A command about one queue."""

    queue: Queue
    region: Region = None
    endpoint_url: EndpointUrl = None

    @contextmanager
    def opened(self) -> Iterator[contract.Queue]:
        from teravox.pipeline.queues.open import open_queue

        with closing(open_queue(self.queue, region=self.region, endpoint=self.endpoint_url)) as queue:
            yield queue


def matcher(text: str | None) -> Callable[[DeadLetter], bool]:
    """Whether a dead letter holds a text, in any case of letters; without a text, all do."""
    if text is None:
        return lambda _: True
    wanted = text.casefold()

    def match(letter: DeadLetter) -> bool:
        kind, piece = say_task(letter.body)
        said = [letter.id, kind, piece, letter.body.decode(errors="replace")]
        for failure in letter.failures:
            said += [failure.sort, failure.error, failure.text, failure.host, failure.worker]
        return any(wanted in part.casefold() for part in said)

    return match
