"""How far the steps of a run are: a table that lives on a terminal, a line at each change elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from teravox.cli.say import plain, say_tasks
from teravox.pipeline.units import say_seconds

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from teravox.pipeline.pipelines.work import StepRun

LINE_EVERY = 60.0  # seconds between two lines of a step that runs
WORDS = {
    "waiting": "waits",
    "ready": "ready",
    "watching": "waits",
    "settling": "begins",
    "running": "runs",
    "done": "done",
    "failed": "failed",
    "left": "left out",
}
_COLOURS = {"runs": "cyan", "done": "green", "failed": "red", "begins": "cyan"}


class Show(Protocol):
    """Hears of the steps of a run."""

    def changed(self, step: StepRun) -> None:
        """A step is in another state."""

    def ticked(self, steps: Sequence[StepRun]) -> None:
        """Some time has gone by."""


class Silence:
    """Nobody wants to hear of it."""

    def changed(self, step: StepRun) -> None:
        """Nothing is said."""

    def ticked(self, steps: Sequence[StepRun]) -> None:
        """Nothing is said."""


class Lines:
    """A line on standard error at each change, and from time to time for what takes long."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def changed(self, step: StepRun) -> None:
        if step.state in {"ready", "waiting"} or (step.state == "settling" and not step.note):
            return
        self._say(step)
        for sentence in take_choices(step):
            print(sentence, file=sys.stderr, flush=True)

    def ticked(self, steps: Sequence[StepRun]) -> None:
        for step in steps:
            if step.state == "running" and time.monotonic() - self._said.get(step.name, step.began) > LINE_EVERY:
                self._say(step)

    def _say(self, step: StepRun) -> None:
        with self._lock:
            self._said[step.name] = time.monotonic()
            print(plain(f"{step.name}: {say_state(step)}"), file=sys.stderr, flush=True)


class Live:
    """The table, drawn by whoever asks for it; see `show_steps`."""

    def __init__(self, steps: Sequence[StepRun], console: Console) -> None:
        self._steps = steps
        self._console = console

    def changed(self, step: StepRun) -> None:
        """It is drawn anew anyway; what a job chose by itself stands above it."""
        for sentence in take_choices(step):
            self._console.print(sentence, markup=False, highlight=False)

    def ticked(self, steps: Sequence[StepRun]) -> None:
        """It is drawn anew anyway."""

    def draw(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        for head in ("step", "state", "tasks", "a second", "left"):
            table.add_column(head, justify="left" if head in {"step", "state"} else "right", no_wrap=True)
        table.add_column("", overflow="fold")
        for step in self._steps:
            word = WORDS[step.state]
            rate = rate_of(step)
            left = "" if not rate else say_seconds((step.total - step.done) / rate)
            table.add_row(
                Text(plain(step.name)),
                Text(word, style=_COLOURS.get(word, "")),
                _say_count(step),
                f"{rate:,.1f}" if rate else "",
                left,
                Text(plain(_say_note(step))),
            )
        return table


@contextmanager
def show_steps(steps: Sequence[StepRun], *, quiet: bool) -> Iterator[Show]:
    """What hears of the steps: a table on a terminal, lines elsewhere, nothing if it is to be quiet."""
    if quiet:
        yield Silence()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live as RichLive

        console = Console(stderr=True)
        live = Live(steps, console)
        with RichLive(get_renderable=live.draw, console=console, refresh_per_second=4):
            yield live
    else:
        yield Lines()


def take_choices(step: StepRun) -> list[str]:
    """What the job of a step chose by itself, once."""
    sentences = [plain(f"{step.name}: {sentence}") for sentence in step.choices]
    step.choices = []
    return sentences


def rate_of(step: StepRun) -> float:
    """Tasks a second of the stage that runs; 0 where nobody can know it."""
    seconds = time.monotonic() - step.began
    new = step.done - step.skipped
    return new / seconds if step.state == "running" and new > 0 and seconds > 0 else 0.0


def say_state(step: StepRun) -> str:
    """A step in a line."""
    note = _say_note(step)
    if step.state == "done":
        if step.was_done:
            return "done already"
        tasks = sum(cost.totals.tasks for cost in step.costs)
        return f"done, {say_tasks(tasks)} in {say_seconds(step.ended - step.first_began)}"
    if step.state == "running":
        said = f"runs, {_say_count(step)} tasks"
        rate = rate_of(step)
        if rate:
            said += f", {rate:,.1f} a second, {say_seconds((step.total - step.done) / rate)} left"
        return f"{said} ({note})" if note else said
    return f"{WORDS[step.state]}: {note}" if note else WORDS[step.state]


def _say_count(step: StepRun) -> str:
    if step.state == "running":
        failed = f", {step.failed:,} failed" if step.failed else ""
        return f"{step.done:,} of {step.total:,}{failed}"
    if step.state == "done":
        return f"{sum(cost.totals.tasks for cost in step.costs):,}"
    return ""


def _say_note(step: StepRun) -> str:
    if step.state == "running" and len(step.stages) > 1:
        return f"{step.stage.kind}, {step.at + 1} of {len(step.stages)}"
    if step.state == "done" and step.was_done:
        return "done already"
    if step.state == "waiting":
        return f"for {', '.join(step.work.after)}"
    return step.note
