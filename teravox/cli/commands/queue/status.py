"""`teravox queue status`: how far a queue is."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec

from teravox.cli.command import Call
from teravox.cli.options import AsJson
from teravox.cli.queue_command import QueueCommand
from teravox.cli.say import plain
from teravox.cli.survey import Survey, rows, survey
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Seconds, says

if TYPE_CHECKING:
    from rich.console import RenderableType

    from teravox.pipeline.queues.contract import Queue

WINDOW = 60.0  # seconds that the rate of --watch is taken over


class Status(QueueCommand, frozen=True):
    """Show how far a queue is, how fast it goes, and who works on it.

    It changes nothing, and ends with 1 if tasks have failed. The rate is what the workers of the last two minutes say, with --watch what
    is seen. What a queue cannot know is "unknown", and what it knows roughly is "about".
    """

    watch: Annotated[bool, says("Keep it on the screen until nothing is left, or Ctrl-C.")] = False
    interval: Annotated[Seconds, says("Time between two looks of --watch.", form="seconds")] = 2.0
    json: AsJson = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        with self.opened() as queue:
            if self.watch:
                seen = self._watch(queue)
            else:
                seen = survey(queue)
                self._print(seen)
        return ExitCode.FAILED if seen.failed else ExitCode.DONE

    def _print(self, seen: Survey) -> None:
        print(msgspec.json.encode(seen).decode() if self.json else as_text(seen), flush=True)

    def _watch(self, queue: Queue) -> Survey:
        first = seen = survey(queue)
        try:
            if self.json or not sys.stdout.isatty():
                self._print(first)
                for seen in self._looks(queue, first):
                    self._print(seen)
                return seen
            from rich.live import Live

            with Live(picture(first), auto_refresh=False) as live:
                for seen in self._looks(queue, first):
                    live.update(picture(seen), refresh=True)
        except KeyboardInterrupt:
            print(file=sys.stderr)
        return seen

    def _looks(self, queue: Queue, seen: Survey) -> Iterator[Survey]:
        """A survey every so often, with the rate that they show, until nothing is left."""
        samples: deque[tuple[float, Survey]] = deque([(time.monotonic(), seen)])
        while seen.left:
            time.sleep(max(self.interval, 0.1))
            seen = survey(queue, measured_rate(samples))
            samples.append((time.monotonic(), seen))
            while samples[-1][0] - samples[0][0] > WINDOW:
                samples.popleft()
            yield seen


def measured_rate(samples: deque[tuple[float, Survey]]) -> float | None:
    """Tasks a second that ended between the first sample and the last; None before there are two."""
    (start, first), (stop, last) = samples[0], samples[-1]
    if stop <= start:
        return None
    if first.done is not None and last.done is not None:
        ended = last.done - first.done + (last.failed or 0) - (first.failed or 0)
    else:
        ended = first.left - last.left
    return max(0, ended) / (stop - start)


def as_text(seen: Survey) -> str:
    """A survey as a small table."""
    return "\n".join([seen.url, *(f"  {left:14}{plain(right)}" for left, right in rows(seen))])


def picture(seen: Survey) -> RenderableType:
    """A survey with a bar under it."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    ended = (seen.done or 0) + (seen.failed or 0)
    return Group(Text(as_text(seen)), ProgressBar(total=max(1, ended + seen.left), completed=ended, width=60))
