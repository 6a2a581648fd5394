"""Points of a slice compared with others: which of them are near each other, and how far discs around them overlap."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Points = NDArray[np.float64]  # by point: row and column
Pair = tuple[float, float]  # of rows and columns

STRIP = 1 << 22  # pixels that are painted at a time
PAIRS = 1 << 24  # of points that are near each other
MATCHING, PAINTING = 60 * PAIRS, 12 * STRIP  # bytes that it takes at most, besides the points


class TooManyPairs(Exception):
    """More points are near each other than there is room for."""


class Matches(NamedTuple):
    """Pairs of points, each in one pair at most."""

    partners: NDArray[np.int64]  # by point of the first ones: which of the others it is paired with, or -1
    distances: NDArray[np.float64]  # of the pairs


def match(one: Points, other: Points, within: float) -> Matches:
    """Pair as many points as can be that are no farther than `within` apart; near ones are preferred.

    TooManyPairs where too many are near each other.
    """
    by_row = np.lexsort((other[:, 1], other[:, 0]))
    starts, neighbours, squares = _near(read_only(one), read_only(np.ascontiguousarray(other[by_row])), within)
    if starts[-1] > PAIRS:
        raise TooManyPairs(f"{starts[-1]:,} pairs of them are so near, and {PAIRS:,} are the most")
    order = np.argsort(squares, kind="stable")
    found = _match(starts, neighbours, np.repeat(np.arange(len(one)), np.diff(starts))[order], order, len(other))
    paired = found >= 0
    partners = np.full(len(one), -1, np.int64)
    partners[paired] = by_row[found[paired]]
    apart = one[paired] - other[partners[paired]]
    return Matches(partners, np.hypot(apart[:, 0], apart[:, 1]))


def count_discs(one: Points, other: Points, radius: float, sides: Pair, size: tuple[int, int]) -> tuple[int, int, int]:
    """How many pixels lie in discs around both kinds of points, around the first only, and around the others only.

    Points are in pixels from the corner of a slice of that size, `radius` is in units of `sides`, those of a pixel.
    """
    counts = np.zeros(4, np.int64)
    rows = max(1, STRIP // max(1, size[1]))
    reach = radius / sides[0]
    for start in range(0, size[0], rows):
        painted = np.zeros((min(rows, size[0] - start), size[1]), np.uint8)
        for bit, points in ((1, one), (2, other)):
            near = (points[:, 0] > start - 1 - reach) & (points[:, 0] < start + len(painted) + reach)
            _paint(painted, read_only(np.ascontiguousarray(points[near])), start, radius, sides, bit)
        counts += np.bincount(painted.reshape(-1), minlength=4)
    return int(counts[3]), int(counts[1]), int(counts[2])


@compiled
def _paint(painted: NDArray[np.uint8], points: Points, start: int, radius: float, sides: Pair, bit: int) -> None:
    """Mark the pixels whose middles are no farther than the radius from a point."""
    reach_y, reach_x = radius / sides[0], radius / sides[1]
    for point in range(len(points)):
        y, x = points[point, 0] - start, points[point, 1]
        for row in range(max(0, math.ceil(y - reach_y)), min(painted.shape[0], math.floor(y + reach_y) + 1)):
            for column in range(max(0, math.ceil(x - reach_x)), min(painted.shape[1], math.floor(x + reach_x) + 1)):
                down, right = (row - y) * sides[0], (column - x) * sides[1]
                if down * down + right * right <= radius * radius:
                    painted[row, column] |= np.uint8(bit)


@compiled
def _near(
    one: Points, other: Points, within: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The neighbours of each point among others that are sorted by row: where they start, which they are, how far squared."""
    rows = other[:, 0].copy()
    starts = np.zeros(len(one) + 1, np.int64)
    neighbours, squares = np.empty(0, np.int64), np.empty(0, np.float64)
    for fill in range(2):
        at = 0
        for point in range(len(one)):
            first = np.searchsorted(rows, one[point, 0] - within)
            for candidate in range(first, len(other)):
                down = other[candidate, 0] - one[point, 0]
                if down > within:
                    break
                right = other[candidate, 1] - one[point, 1]
                square = down * down + right * right
                if square <= within * within:
                    if fill:
                        neighbours[at], squares[at] = candidate, square
                    at += 1
            starts[point + 1] = at
        if at > PAIRS:
            break
        if not fill:
            neighbours, squares = np.empty(at, np.int64), np.empty(at, np.float64)
    return starts, neighbours, squares


@compiled
def _match(
    starts: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    points: NDArray[np.int64],
    order: NDArray[np.int64],
    others: int,
) -> NDArray[np.int64]:
    """The partner of each point or -1: the nearest pairs first, then along paths that add a pair."""
    number = len(starts) - 1
    partner, of_other = np.full(number, -1, np.int64), np.full(others, -1, np.int64)
    for at in range(len(order)):
        point, candidate = points[at], neighbours[order[at]]
        if partner[point] < 0 and of_other[candidate] < 0:
            partner[point], of_other[candidate] = candidate, point
    seen, comes_from = np.full(others, -1, np.int64), np.empty(others, np.int64)
    queue = np.empty(number, np.int64)
    for start in range(number):
        if partner[start] >= 0:
            continue
        queue[0], first, last, free = start, 0, 1, -1
        while first < last and free < 0:
            point = queue[first]
            first += 1
            for at in range(starts[point], starts[point + 1]):
                candidate = neighbours[at]
                if seen[candidate] == start:
                    continue
                seen[candidate], comes_from[candidate] = start, point
                if of_other[candidate] < 0:
                    free = candidate
                    break
                queue[last] = of_other[candidate]
                last += 1
        while free >= 0:
            point = comes_from[free]
            before = partner[point]
            partner[point], of_other[free] = free, point
            free = -1 if point == start else before
    return partner
