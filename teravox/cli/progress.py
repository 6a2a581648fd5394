"""How far a command is: a bar on a terminal, a line from time to time elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from teravox.pipeline.units import say_seconds

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY = 10.0  # seconds between two lines
DRAW_EVERY = 0.1  # seconds between two updates of the bar


class Progress:
    """Counts what is done and failed; `draw` shows it, no more often than every so many seconds.

    The total is asked for with the first count, since some jobs know it only when they are prepared.
    """

    def __init__(self, count: Callable[[], int], draw: Callable[[Progress], None], every: float) -> None:
        self.done = self.failed = 0
        self.total: int | None = None
        self.started = time.monotonic()
        self._count = count
        self._draw = draw
        self._every = every
        self._next = 0.0 if every < 1 else self.started + every

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def __call__(self, done: int, failed: int = 0) -> None:
        self.done += done
        self.failed += failed
        if self.total is None:
            self.total = self._count()
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._every
            self._draw(self)


@contextmanager
def show_progress(title: str, count: Callable[[], int], *, quiet: bool) -> Iterator[Progress]:
    """A progress to be called with what more is done; it goes to standard error."""
    if quiet:
        yield Progress(count, lambda _: None, LINE_EVERY)
    elif sys.stderr.isatty():
        with make_bar() as bar:
            task = bar.add_task(title, total=None, note="")
            progress = Progress(count, lambda progress: draw(bar, task, progress), DRAW_EVERY)
            yield progress
            draw(bar, task, progress)
    else:
        yield Progress(count, lambda progress: _print_line(title, progress), LINE_EVERY)


def make_bar() -> RichProgress:
    """A bar with numbers, rate and time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
    )


def draw(bar: RichProgress, task: TaskID, progress: Progress) -> None:
    note = f"{progress.failed:,} failed" if progress.failed else ""
    bar.update(task, completed=progress.done + progress.failed, total=progress.total, note=note)


def _print_line(title: str, progress: Progress) -> None:
    ended = progress.done + progress.failed
    rate = ended / max(progress.seconds, 1e-9)
    line = f"{title}: {ended:,} of {progress.total or 0:,} tasks"
    if progress.failed:
        line += f", {progress.failed:,} of them failed"
    if rate > 0 and progress.total:
        line += f", {rate:,.1f} a second, {say_seconds(max(0.0, (progress.total - ended) / rate))} left"
    print(line, file=sys.stderr, flush=True)
