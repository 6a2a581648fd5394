"""Measures two sides in turn and says how they compare: medians, and the median of the ratios of pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

Figures = dict[str, float]  # what was measured → a cost: less is better


class Row(NamedTuple):
    """One measure of both sides; `ratio` is theirs by ours, so above 1 we are better."""

    name: str
    ours: float
    theirs: float
    ratio: float
    worst: float  # the lowest ratio of any pair
    best: float


def measure_pairs(repeats: int, ours: Callable[[], Figures], theirs: Callable[[], Figures]) -> list[Row]:
    """Run both sides `repeats` times, one right after the other, and every other time in the other order.

    What the machine does meanwhile then meets both alike.
    """
    pairs: list[tuple[Figures, Figures]] = []
    for n in range(repeats):
        if n % 2 == 0:
            mine = ours()
            pairs.append((mine, theirs()))
        else:
            other = theirs()
            pairs.append((ours(), other))
    return [_compare(name, pairs) for name in pairs[0][0] if name in pairs[0][1]]


def _compare(name: str, pairs: Sequence[tuple[Figures, Figures]]) -> Row:
    ratios = [theirs[name] / ours[name] for ours, theirs in pairs]
    return Row(
        name,
        median(ours[name] for ours, _ in pairs),
        median(theirs[name] for _, theirs in pairs),
        median(ratios),
        min(ratios),
        max(ratios),
    )


def show(title: str, rows: Sequence[Row], *, repeats: int, as_json: bool) -> None:
    """Print the rows as a Markdown table, or as one line of JSON."""
    if as_json:
        print(json.dumps({"title": title, "repeats": repeats, "rows": [row._asdict() for row in rows]}))
        return
    print(f"\n{title} (medians of {repeats} pairs; a ratio above 1 says that teravox is better)\n")
    width = max(len(row.name) for row in rows)
    print(f"| {'measure':{width}} |   teravox |    theirs | ratio |  lowest |  highest |")
    print(f"| {'-' * width} | --------: | --------: | ----: | ------: | -------: |")
    for row in rows:
        print(
            f"| {row.name:{width}} | {say_number(row.ours):>9} | {say_number(row.theirs):>9} "
            f"| {say_number(row.ratio):>5} | {say_number(row.worst):>7} | {say_number(row.best):>8} |"
        )


def say_number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
