"""Labels that end on the borders of pieces."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.quality.planes import Planes
from teravox.pipeline.quality.seam import PlaneFigure, Seam
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer

AT_ONCE = 4  # places that are read side by side; each reads its chunks side by side, too
MOST_PLANES = 24  # borders of an axis that are looked at


class Choice(NamedTuple):
    """What is looked at of an axis: planes, and the patches of each."""

    axis: int
    borders: list[int]
    insides: list[int]
    patches: list[Box]  # flat along the axis
    all_patches: int


def measure_labels(layer: Layer, planes: Planes, samples: int, seed: int) -> Seam:
    """Compare the voxels on both sides of borders and of planes inside of pieces, in patches of one chunk; all, if they are few enough."""
    choices = [choose(layer, planes, axis, samples, seed) for axis in range(3)]
    work = [(choice, at) for choice in choices for at in (*choice.borders, *choice.insides)]

    def look(one: tuple[Choice, int]) -> PlaneFigure:
        choice, at = one
        hits = of = 0
        for patch in choice.patches:
            cut, labelled = _compare(layer, patch, choice.axis, at)
            hits, of = hits + cut, of + labelled
        return PlaneFigure(choice.axis, at, at in choice.borders, hits, of)

    figures = sorted(side_by_side(look, work, AT_ONCE), key=lambda one: (one.axis, one.at))
    looked = sum(len(choice.borders) * len(choice.patches) for choice in choices)
    there = sum(len(planes.borders[choice.axis]) * choice.all_patches for choice in choices)
    share = "all" if looked == there else f"{looked:,} (by chance, seed {seed}) of"
    return Seam(
        what="labels",
        whose=planes.whose,
        mip=planes.mip,
        looked_at=f"{share} {there:,} patches on {planes.number:,} borders, each of the size of a chunk",
        figures=tuple(figures),
    )


def choose(layer: Layer, planes: Planes, axis: int, samples: int, seed: int) -> Choice:
    """Some borders of an axis with the planes inside of the pieces beside them, and patches across them, so that not too much is read."""
    chance = random.Random(f"{seed} {axis}")  # noqa: S311 - chooses what to look at, keeps no secret
    borders, insides = planes.borders[axis], planes.insides[axis]
    if not borders or not insides:
        return Choice(axis, [], [], [], 0)
    scale = layer.scale(planes.mip)
    across: list[int] = list(scale.chunk)
    across[axis] = scale.size[axis]
    grid = Grid(scale.bounds, _vec(across))
    share = max(1, samples // 3)
    most = min(MOST_PLANES, share) if len(borders) * len(grid) > share else len(borders)
    chosen = sorted(chance.sample(borders, min(len(borders), most)))
    patches = min(len(grid), max(1, math.ceil(share / len(chosen))))
    boxes = [grid[index] for index in sorted(chance.sample(range(len(grid)), patches))]
    beside = {neighbour for border in chosen for neighbour in _beside(insides, border)}
    return Choice(axis, chosen, sorted(beside), boxes, len(grid))


def _beside(insides: tuple[int, ...], border: int) -> tuple[int, ...]:
    """The planes inside of the two pieces that meet in a border."""
    above = bisect_left(insides, border)
    return insides[max(0, above - 1) : above + 1]


def _compare(layer: Layer, patch: Box, axis: int, at: int) -> tuple[int, int]:
    from teravox.kernels.quality.cuts import count_cuts

    low, high = list(patch.min), list(patch.max)
    low[axis], high[axis] = at - 1, at + 1
    voxels = layer.read(Box(_vec(low), _vec(high)), 0, fill_missing=True)
    return count_cuts(voxels.take(0, axis), voxels.take(1, axis))


def _vec(numbers: list[int]) -> Vec:
    x, y, z = numbers
    return (x, y, z)
