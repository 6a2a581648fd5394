"""Tells whether a path runs within what other paths stand for, which were traced in other pieces.

A vertex stands for the ball of its radius, and a path that runs beside another in the same wire lies in its balls, or
in as much more as its own radius is, if that is the smaller one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.components import Points, square_of
from teravox.kernels.skeleton.forest import GONE, Forest, Places, belongs_to
from teravox.kernels.skeleton.weld import SHARED

Radius = NDArray[np.float32]
BITS = 18  # of the number of a cell along an axis
WIDER = 4.0  # times its own radius, as which a vertex counts at most
MOST_CLASSES = 10  # of radii: 2^9 times the least is the last


class Cover(NamedTuple):
    """The vertices in cells; the larger their radius the larger are the cells, so that a ball reaches only the next ones."""

    points: Points
    radius: Radius
    piece: NDArray[np.int32]
    slack: float  # nanometres by which a path may lie further off
    keys: NDArray[np.uint64]  # of cells, in order: the class of radii, z, y, x
    order: NDArray[np.int64]  # the vertices that lie there
    cells: NDArray[np.float64]  # by class the size of cells; 0 where there are none


def make_cover(points: Points, radius: Radius, piece: NDArray[np.int32], slack: float) -> Cover:
    """Sort vertices into cells."""
    low, high = points.min(axis=0), points.max(axis=0)
    least = max(slack, float((high - low).max()) / ((1 << BITS) - 4))
    classes = np.clip(np.ceil(np.log2(np.maximum(2 * radius + slack, least) / least)), 0, None).astype(np.int64)
    classes = np.minimum(classes, MOST_CLASSES - 1)
    sizes: NDArray[np.float64] = least * np.exp2(np.arange(MOST_CLASSES))
    last = classes == MOST_CLASSES - 1
    if last.any():
        sizes[-1] = max(sizes[-1], 2 * float(radius[last].max()) + slack)
    x, y, z = (((points - low) / sizes[classes][:, None]).astype(np.uint64) + np.uint64(1)).T
    keys = classes.astype(np.uint64) << np.uint64(3 * BITS) | z << np.uint64(2 * BITS) | y << np.uint64(BITS) | x
    order = np.argsort(keys, kind="stable")
    sizes[np.bincount(classes, minlength=MOST_CLASSES) == 0] = 0
    return Cover(points - low, radius, piece, slack, keys[order], order, sizes)


@compiled
def is_covered(cover: Cover, vertex: int, reach: float, branch: int, forest: Forest) -> bool:
    """Whether a vertex of a branch lies in the balls of other branches, made larger by `reach` or their own radius."""
    for size_class in range(len(cover.cells)):
        size = cover.cells[size_class]
        if size == 0:
            continue
        x = int(cover.points[vertex, 0] / size) + 1
        y = int(cover.points[vertex, 1] / size) + 1
        z = int(cover.points[vertex, 2] / size) + 1
        for c in range(z - 1, z + 2):
            for b in range(y - 1, y + 2):
                low = np.uint64((((size_class << BITS | c) << BITS | b) << BITS) | (x - 1))
                high = low + np.uint64(2)  # cells beside each other along x follow each other
                at = np.searchsorted(cover.keys, low)
                while at < len(cover.keys) and cover.keys[at] <= high:
                    if _covers(cover, cover.order[at], vertex, reach, branch, forest):
                        return True
                    at += 1
    return False


@compiled
def _covers(cover: Cover, other: int, vertex: int, reach: float, branch: int, forest: Forest) -> bool:
    if forest.owner[other] == GONE or belongs_to(forest, other, branch):
        return False
    if cover.piece[other] == cover.piece[vertex] and cover.piece[vertex] != SHARED:
        return False
    most = cover.radius[other] + min(reach, cover.radius[other]) + cover.slack
    return bool(square_of(cover.points, other, vertex) <= most * most)


@compiled
def runs_beside(cover: Cover, forest: Forest, branch: int, members: Places, count: int) -> bool:
    """Whether all members of a branch lie within what other pieces traced.

    The branch counts as wide as its widest place, since ends are thin, but not as wide everywhere as the soma it leaves.
    """
    reach = 0.0
    for at in range(count):
        reach = max(reach, cover.radius[members[at]])
    for turn in range(count):
        at = (turn + count - 1) % count  # of most that stand apart, an end tells it
        if not is_covered(cover, members[at], min(reach, WIDER * cover.radius[members[at]]), branch, forest):
            return False
    return True
