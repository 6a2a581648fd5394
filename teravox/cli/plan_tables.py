"""A plan as tables, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.planning.plan_file import PlanFile, PlannedStep
from teravox.pipeline.units import say_bytes, say_seconds

if TYPE_CHECKING:
    from rich.console import RenderableType

UNKNOWN = "?"
RATE = "rate of "


def tables(plan: PlanFile) -> Iterator[RenderableType]:
    """What is printed, one thing after another."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("step", "tasks", "memory", "read", "requests", "written", "files", "core time", "time", "cost"):
        table.add_column(column, justify="left" if column == "step" else "right", no_wrap=column != "step")
    for step in plan.steps:
        table.add_row(*_row(step))
    yield table
    yield ""
    yield from _totals(plan)
    yield from _reasons(plan)
    for warning in plan.warnings:
        yield f"Warning: {warning}."


def _row(step: PlannedStep) -> list[str]:
    read, written = ("" if exact else "~" for exact in (step.exact_in, step.exact_out))
    return [
        step.name if step.name == step.kind else f"{step.name}: {step.kind}",
        _say(step.tasks, lambda number: f"{number:,.0f}"),
        _say(step.memory, say_bytes),
        _say(step.bytes_in, say_bytes, read),
        _say(step.requests_in, _count, read),
        _say(step.bytes_out, say_bytes, written),
        _say(step.files, _count, written) + ("" if step.kept else "*"),
        _say(step.cpu_seconds, say_seconds, "~"),
        _say(step.wall_seconds, say_seconds, "~"),
        _say(step.dollars, _money),
    ]


def _totals(plan: PlanFile) -> Iterator[str]:
    workers = "1 worker" if plan.workers == 1 else f"{plan.workers:,} workers"
    wall = "unknown" if plan.wall_seconds is None else f"about {say_seconds(plan.wall_seconds)}"
    cores = "unknown" if plan.cpu_seconds is None else f"{plan.cpu_seconds / 3600:,.2f} core-hours"
    memory = "unknown" if plan.memory is None else say_bytes(plan.memory)
    yield f"With {workers} of one core: {wall}, {cores}; the largest task needs {memory}."
    once = "unknown" if plan.dollars is None else _money(plan.dollars)
    month = "unknown" if plan.dollars_a_month is None else _money(plan.dollars_a_month)
    prices = f"{plan.place} ({plan.details['prices']})" if "prices" in plan.details else str(plan.place)
    yield f"At prices of {prices}: {once} once, and {month} a month to keep what is written."
    if any(not step.kept and step.files for step in plan.steps):
        yield "* These files are for later stages, and can go when all is done."


def _reasons(plan: PlanFile) -> Iterator[str]:
    for step in plan.steps:
        if step.why is not None:
            yield f"{UNKNOWN} {step.name}{'' if step.name == step.kind else f', {step.kind}'}: {step.why}."
    yield from _sources(plan)


def _sources(plan: PlanFile) -> Iterator[str]:
    """Where rates come from, each source once; and what samples took."""
    sources: dict[str, list[str]] = {}
    for word, text in plan.details.items():
        if isinstance(text, dict):
            yield f"The {word}:"
            yield from (f"  {name:10}{said}" for name, said in text.items())
        elif word.startswith(RATE):
            sources.setdefault(str(text), []).append(word.removeprefix(RATE))
    for source, kinds in sources.items():
        yield f"Times of {', '.join(kinds)}: {source}."


def _say(figure: float | None, say: object, about: str = "") -> str:
    if figure is None:
        return UNKNOWN
    assert callable(say)  # a function of this file or of units
    return f"{about}{say(figure)}"


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _money(dollars: float) -> str:
    return "<$0.01" if 0 < dollars < 0.01 else f"${dollars:,.2f}"
