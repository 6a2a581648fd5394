"""How much the tiling shows: what is found on the borders of pieces against what is found inside of pieces."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec


class PlaneFigure(msgspec.Struct, frozen=True):
    """What was found on one plane: so many hits among so many that could be."""

    axis: int
    at: int  # voxels, of the mip of the planes
    is_border: bool
    hits: int
    of: int

    @property
    def share(self) -> float:
        return self.hits / self.of if self.of else 0.0


class Seam(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of seams, plane by plane."""

    what: str  # "labels", "mesh edges", "mesh vertices", "skeleton ends"
    whose: str  # the pieces
    mip: int
    looked_at: str  # what and how much of it, for people
    figures: tuple[PlaneFigure, ...]
    elsewhere: int | None = None  # hits that are near none of the planes

    @property
    def score(self) -> float | None:
        return seam_score(self.figures)


def seam_score(figures: Iterable[PlaneFigure]) -> float | None:
    """Hits on borders for each one that would be there if a border were like the planes inside of the pieces beside it.

    About 1 where borders do not show. Infinite where only borders have hits, and 1 where nothing has any; None where there
    is nothing to compare.
    """
    found = expected = 0.0
    compared = False
    for borders, insides in _by_axis(figures):
        for border in borders:
            above = bisect_left(insides, border.at, key=lambda one: one.at)
            beside = insides[max(0, above - 1) : above + 1]
            if beside:
                compared = True
                found += border.hits
                expected += border.of * sum(one.share for one in beside) / len(beside)
    if not compared:
        return None
    if expected == 0:
        return 1.0 if found == 0 else math.inf
    return found / expected


def spread_of_insides(figures: Iterable[PlaneFigure]) -> tuple[float, float] | None:
    """The least and the greatest score of a plane inside of a piece against the next ones: what chance does to a score."""
    ratios = []
    for _, insides in _by_axis(figures):
        for below, one, above in zip(insides, insides[1:], insides[2:], strict=False):
            if expected := (below.share + above.share) / 2:
                ratios.append(one.share / expected)
    return (min(ratios), max(ratios)) if ratios else None


def _by_axis(figures: Iterable[PlaneFigure]) -> Iterator[tuple[list[PlaneFigure], list[PlaneFigure]]]:
    """The borders and the planes inside, of each axis and in their order; without those of which nothing can be said."""
    known = sorted((one for one in figures if one.of), key=lambda one: (one.axis, one.at))
    for _, some in groupby(known, key=lambda one: one.axis):
        of_axis = list(some)
        yield [one for one in of_axis if one.is_border], [one for one in of_axis if not one.is_border]
