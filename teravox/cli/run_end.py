"""What a run ends with: what it cost, what was made, how to look at it, and what failed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.cli.say import plain, say_tasks
from teravox.pipeline.units import say_bytes, say_seconds

if TYPE_CHECKING:
    from rich.table import Table

    from teravox.pipeline.failure import DeadLetter
    from teravox.pipeline.pipelines.summary import MadeLayer, RunSummary, StepSummary

_SHOWN = 3  # failed tasks of a step


def print_costs(summary: RunSummary) -> None:
    """A table of the steps and what each cost."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 120  # columns, where nobody says how many there are
    Console(highlight=False, width=wide).print(_table(summary.steps))


def say_layer(layer: MadeLayer) -> str:
    """A layer in a line."""
    mips = "1 mip" if layer.mips == 1 else f"{layer.mips} mips"
    size = " x ".join(map(str, layer.size))
    parts = "".join(f", {part}" for part in layer.parts)
    return f"{layer.url}: {layer.type} {layer.data_type}, {size} voxels, {mips}{parts}"


def say_letters(letters: Sequence[DeadLetter]) -> list[str]:
    """Some failed tasks, in a line each."""
    from teravox.cli.say import say_task

    lines = []
    for letter in letters[:_SHOWN]:
        _, piece = say_task(letter.body)
        text = letter.failures[-1].text.strip().split("\n")[0] if letter.failures else "no worker came back from it"
        lines.append(f"  {piece}: {plain(text)}")
    if len(letters) > _SHOWN:
        lines.append(f"  and {say_tasks(len(letters) - _SHOWN)} more")
    return lines


def _table(steps: Sequence[StepSummary]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_footer=len(steps) > 1)
    total = {
        "tasks": f"{sum(step.tasks for step in steps):,}",
        "core time": say_seconds(sum(step.cpu_seconds for step in steps)),
        "peak": say_bytes(max((step.peak_bytes for step in steps), default=0)),
        "read": say_bytes(sum(step.bytes_in for step in steps)),
        "written": say_bytes(sum(step.bytes_out for step in steps)),
    }
    table.add_column("step", footer="all")
    table.add_column("state")
    for head in ("tasks", "core time", "time", "peak", "read", "written"):
        table.add_column(head, justify="right", footer=total.get(head, ""))
    for step in steps:
        figures = (
            f"{step.tasks:,}",
            say_seconds(step.cpu_seconds),
            say_seconds(step.wall_seconds),
            say_bytes(step.peak_bytes),
            say_bytes(step.bytes_in),
            say_bytes(step.bytes_out),
        )
        state = "done already" if step.was_done else "left out" if step.state == "left" else step.state
        table.add_row(Text(plain(step.name)), state, *(figures if step.tasks else [""] * len(figures)))
    return table
