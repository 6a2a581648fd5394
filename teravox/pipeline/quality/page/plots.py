"""Plots as SVG within the page; their colors are those of the page's style."""

from __future__ import annotations

import math
from collections.abc import Sequence

from teravox.pipeline.quality.page.markup import Markup, element, join, words

WIDTH, HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 18, 34


def bars(values: Sequence[int], labels: Sequence[str], title: str, across: str) -> Markup:
    """A bar for each value, on a logarithmic scale of counts, with the count above it."""
    most = max(values, default=0)
    wide = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    high = HEIGHT - TOP - BOTTOM
    parts = []
    every = math.ceil(len(values) / 12)
    for at, (value, label) in enumerate(zip(values, labels, strict=True)):
        x = LEFT + at * wide
        tall = high * math.log1p(value) / math.log1p(most) if most else 0
        y = TOP + high - tall
        shape = f'<rect class="bar" x="{x + 1:.1f}" y="{y:.1f}" width="{wide - 2:.1f}" height="{tall:.1f}">'
        parts.append(Markup(f"{shape}{element('title', f'{label}: {value:,}')}</rect>"))
        if value and len(values) <= 32:
            parts.append(_text(x + wide / 2, y - 4, _short(value), "middle"))
        if at % every == 0:
            parts.append(_text(x + wide / 2, HEIGHT - BOTTOM + 14, label, "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, across, "middle", "axis"))
    return _svg(parts, title, HEIGHT)


def strip(values: Sequence[int], title: str) -> Markup:
    """Bars without words: how much of something there was, from the first to the last moment."""
    most = max(values, default=0) or 1
    wide = 240 / max(len(values), 1)
    parts = []
    for at, value in enumerate(values):
        tall = 36 * value / most
        parts.append(
            Markup(
                f'<rect class="bar" x="{at * wide:.1f}" y="{38 - tall:.1f}" '
                f'width="{max(wide - 0.6, 0.4):.1f}" height="{tall:.1f}"/>'
            )
        )
    parts.append(Markup('<line class="frame" x1="0" x2="240" y1="38.5" y2="38.5"/>'))
    return Markup(f'<svg class="strip" viewBox="0 0 240 40" role="img" aria-label="{words(title)}">{join(parts)}</svg>')


def dots(points: Sequence[tuple[float, float, bool]], title: str, across: str, *, is_share: bool) -> Markup:
    """A dot for each plane: where it is, how much was found there, and whether it is a border; each on a stem."""
    width, height = 420, 170
    high = height - TOP - BOTTOM
    low_x, high_x = min(x for x, _, _ in points), max(x for x, _, _ in points)
    span = (high_x - low_x) or 1.0
    most = max(y for _, y, _ in points) or 1.0
    ground = TOP + high
    parts = [
        Markup(f'<line class="frame" x1="{LEFT}" x2="{width - RIGHT}" y1="{ground}" y2="{ground}"/>'),
        Markup(f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{TOP}" y2="{TOP}"/>'),
        _text(LEFT - 6, TOP + 4, _say(most, is_share=is_share), "end"),
        _text(LEFT - 6, ground + 4, _say(0, is_share=is_share), "end"),
        _text(LEFT + 10, ground + 14, f"{low_x:,.0f}", "start"),
        _text(width - RIGHT - 10, ground + 14, f"{high_x:,.0f}", "end"),
        _text((LEFT + width - RIGHT) / 2, height - 4, across, "middle", "axis"),
    ]
    for x, y, is_border in points:
        at = LEFT + 14 + (x - low_x) / span * (width - LEFT - RIGHT - 28)
        up = ground - y / most * high
        name = "border" if is_border else "inside"
        told = f"{'border' if is_border else 'inside'} at {x:,.0f}: {_say(y, is_share=is_share)}"
        shape = (
            f'<circle cx="{at:.1f}" cy="{up:.1f}" r="4.5"/>'
            if is_border
            else f'<rect x="{at - 3.5:.1f}" y="{up - 3.5:.1f}" width="7" height="7"/>'
        )
        stem = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{ground}" y2="{up:.1f}"/>'
        parts.append(Markup(f'<g class="{name}">{element("title", told)}{stem}{shape}</g>'))
    return _svg(parts, title, height, width)


def _svg(parts: Sequence[Markup], title: str, height: int, width: int = WIDTH) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" style="max-width:{width}px" role="img" aria-label="{words(title)}">'
        f"{join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str, name: str = "tick") -> Markup:
    return Markup(f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words(text)}</text>')


def _say(value: float, *, is_share: bool) -> str:
    return f"{100 * value:.3g} %" if is_share else _short(round(value))


def _short(number: int) -> str:
    """A count in few letters."""
    for unit, size in (("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000)):
        if number >= 10 * size:
            return f"{number / size:.0f}{unit}"
    return f"{number:,}"
