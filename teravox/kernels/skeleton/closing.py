"""Joins the components of a skeleton that come close to each other: where the balls of two vertices meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.branches import in_order
from teravox.kernels.skeleton.components import Points, number_components, square_of
from teravox.kernels.skeleton.cover import Radius
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.unions import unite

BITS = 20  # of the number of a cell along an axis


def join_close(points: Points, edges: Edges, radius: Radius, least: float) -> Edges:
    """The edges with as many more as it takes to join components that are as near as the sum of two radii, nearest first.

    Radii count as `least` nanometres at least: half of what divides the centers of two voxels that touch. No loop
    comes of it, and joins do not depend on each other: what was near before is near afterwards.
    """
    component, count = number_components(edges, len(points))
    if count < 2:
        return edges
    reach = np.maximum(radius.astype(np.float64), least)
    points = points - points.min(axis=0)
    widest = max(least, float(points.max()) / ((1 << BITS) - 4))
    found = [_near_pairs(points, reach, component, 0, widest)]
    while widest < reach.max():
        found.append(_near_pairs(points, reach, component, widest, 2 * widest))
        widest *= 2
    pairs = np.concatenate(found)
    lengths = np.sqrt(np.square(points[pairs[:, 0]] - points[pairs[:, 1]]).sum(axis=1))
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], lengths))]
    joining = pairs[_choose(component[pairs], count)]
    return in_order(np.concatenate([edges.astype(np.int64), joining])) if len(joining) else edges


def _near_pairs(
    points: Points, reach: NDArray[np.float64], component: NDArray[np.int64], above: float, widest: float
) -> NDArray[np.int64]:
    """Pairs of vertices of different components whose balls meet, the larger ball being of more than `above` to `widest`.

    Of those between two components in two cells, it is the nearest.
    """
    members = np.flatnonzero(reach <= widest)
    is_large = reach[members] > above
    if not is_large.any():
        return np.empty((0, 2), np.int64)
    x, y, z = ((points[members] / (2 * widest)).astype(np.int64) + 1).T  # so a ball reaches only into the next cells
    keys = z << 2 * BITS | y << BITS | x
    order = np.lexsort((component[members], keys))
    return _pairs(points, reach, component, members[order], keys[order], is_large[order])


@compiled
def _pairs(
    points: Points,
    reach: NDArray[np.float64],
    component: NDArray[np.int64],
    members: NDArray[np.int64],
    keys: NDArray[np.int64],
    is_large: NDArray[np.bool_],
) -> NDArray[np.int64]:
    pairs = np.empty((1024, 2), np.int64)
    count = 0
    first = 0
    while first < len(members):
        last = _end_of_run(component, members, keys, first)
        some_large = is_large[first:last].any()
        for row in range(9 if some_large else 0):  # rows of three cells, which follow each other
            low = keys[first] + ((row // 3 - 1 << 2 * BITS) + (row % 3 - 1 << BITS)) - 1
            run = np.searchsorted(keys, low)
            while run < len(members) and keys[run] < low + 3:
                end = _end_of_run(component, members, keys, run)
                if component[members[run]] != component[members[first]]:
                    if count == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    a, b = _nearest(points, reach, members, is_large, first, last, run, end)
                    if a >= 0:
                        pairs[count, 0], pairs[count, 1] = min(a, b), max(a, b)
                        count += 1
                run = end
        first = last
    return pairs[:count].copy()


@compiled
def _end_of_run(component: NDArray[np.int64], members: NDArray[np.int64], keys: NDArray[np.int64], first: int) -> int:
    """The place behind what lies in the same cell and the same component."""
    last = first + 1
    while last < len(members) and keys[last] == keys[first] and component[members[last]] == component[members[first]]:
        last += 1
    return last


@compiled
def _nearest(
    points: Points,
    reach: NDArray[np.float64],
    members: NDArray[np.int64],
    is_large: NDArray[np.bool_],
    first: int,
    last: int,
    start: int,
    stop: int,
) -> tuple[int, int]:
    """The nearest pair of a large ball of one run and a ball of another that meet; -1 where none do."""
    one = other = -1
    least = np.inf
    for a in range(first, last):
        for b in range(start, stop if is_large[a] else start):
            square = square_of(points, members[a], members[b])
            most = reach[members[a]] + reach[members[b]]
            if square < least and square <= most * most:
                one, other, least = members[a], members[b], square
    return one, other


@compiled
def _choose(pairs: NDArray[np.int64], components: int) -> NDArray[np.bool_]:
    """Which pairs of components, one after another, join two that were not joined yet."""
    parents = np.arange(components)
    chosen = np.zeros(len(pairs), np.bool_)
    for at in range(len(pairs)):
        chosen[at] = unite(parents, pairs[at, 0], pairs[at, 1])
    return chosen
