"""Tells whether a path runs within what other paths stand for, which were traced in other pieces.

A vertex stands for the ball of its radius, and a path that runs beside another in the same wire lies in its balls, or
in as much more as its own radius is, if that is the smaller one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import Scratch, doubles, keys_for, longs, numbered, stable_order
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
    order: NDArray[np.int64]  # the vertices that lie there, those of one piece after another
    ends: NDArray[np.int64]  # by place in this order: behind all of the same cell and piece
    cells: NDArray[np.float64]  # by class the size of cells; 0 where there are none


@compiled
def make_cover(points: Points, radius: Radius, piece: NDArray[np.int32], slack: float, scratch: Scratch) -> Cover:
    """Sort vertices into cells."""
    low, high = points[0].copy(), points[0].copy()
    for v in range(len(points)):
        for axis in range(3):
            low[axis] = min(low[axis], points[v, axis])
            high[axis] = max(high[axis], points[v, axis])
    least = max(slack, (high - low).max() / ((1 << BITS) - 4))
    sizes = least * 2.0 ** np.arange(MOST_CLASSES)
    classes = longs(scratch, len(points))
    used = np.zeros(MOST_CLASSES, np.bool_)
    for v in range(len(points)):
        across = 2.0 * radius[v] + slack
        n = 0
        while n < MOST_CLASSES - 1 and sizes[n] < across:
            n += 1
        classes[v] = n
        used[n] = True
    for v in range(len(points)):
        if classes[v] == MOST_CLASSES - 1:
            sizes[-1] = max(sizes[-1], 2.0 * radius[v] + slack)
    moved = doubles(scratch, 3 * len(points)).reshape(-1, 3)
    keys, pieces = keys_for(scratch, len(points)), keys_for(scratch, len(points))
    for v in range(len(points)):
        for axis in range(3):
            moved[v, axis] = points[v, axis] - low[axis]
        pieces[v] = np.uint64(piece[v] - SHARED)
        size = sizes[classes[v]]
        key = np.uint64(classes[v])
        for axis in range(2, -1, -1):
            key = key << np.uint64(BITS) | np.uint64(np.int64(moved[v, axis] / size) + 1)
        keys[v] = key
    order = stable_order(keys, stable_order(pieces, numbered(scratch, len(points)), scratch), scratch)
    ordered, ends = keys_for(scratch, len(order)), longs(scratch, len(order))
    for at in range(len(order) - 1, -1, -1):
        ordered[at] = keys[order[at]]
        goes_on = at + 1 < len(order) and ordered[at] == ordered[at + 1] and piece[order[at]] == piece[order[at + 1]]
        ends[at] = ends[at + 1] if goes_on else at + 1
    sizes[~used] = 0
    return Cover(moved, radius, piece, slack, ordered, order, ends, sizes)


@compiled
def is_covered(cover: Cover, vertex: int, reach: float, branch: int, forest: Forest) -> bool:
    """Whether a vertex of a branch lies in the balls of other branches, made larger by `reach` or their own radius.

    What its own piece traced does not count: the rest of the piece was known where it was traced.
    """
    points, radius, piece, slack, keys, order, ends, cells = cover
    owner, one = forest.owner, forest.one
    for size_class in range(len(cells)):
        size = cells[size_class]
        if size == 0:
            continue
        x = int(points[vertex, 0] / size) + 1
        y = int(points[vertex, 1] / size) + 1
        z = int(points[vertex, 2] / size) + 1
        for c in range(z - 1, z + 2):
            for b in range(y - 1, y + 2):
                low = np.uint64((((size_class << BITS | c) << BITS | b) << BITS) | (x - 1))
                high = low + np.uint64(2)  # cells beside each other along x follow each other
                at = np.searchsorted(keys, low)
                while at < len(keys) and keys[at] <= high:
                    other = order[at]
                    if piece[other] == piece[vertex] != SHARED:
                        at = ends[at]
                        continue
                    at += 1
                    most = radius[other] + min(reach, radius[other]) + slack
                    if square_of(points, other, vertex) > most * most or owner[other] == GONE:
                        continue
                    if not belongs_to(owner, one, other, branch):
                        return True
    return False


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
