"""Joins the components of a skeleton that come close to each other: where the balls of two vertices meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import (
    IN_MEMORY,
    Scratch,
    doubles,
    flags,
    give_back,
    in_use,
    keys_for,
    keys_of_floats,
    longs,
    numbered,
    rows,
    stable_order,
)
from teravox.kernels.skeleton.branches import in_order
from teravox.kernels.skeleton.components import Points, number_parts, square_of
from teravox.kernels.skeleton.cover import Radius
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.unions import unite

LEAST_PAIRS = 1024  # for which there is room
BITS = 20  # of the number of a cell along an axis

Pairs = NDArray[np.int64]  # rows of two vertices


def join_close(points: Points, edges: Edges, radius: Radius, least: float, scratch: Scratch = IN_MEMORY) -> Edges:
    """The edges with as many more as it takes to join components that are as near as the sum of two radii, nearest first.

    Radii count as `least` nanometres at least: half of what divides the centers of two voxels that touch. No loop
    comes of it, and joins do not depend on each other: what was near before is near afterwards.
    """
    component, count = number_parts(edges, len(points), scratch)
    if count < 2:
        return edges
    reach = np.maximum(radius, least, out=doubles(scratch, len(points)), dtype=np.float64)
    points = np.subtract(points, points.min(axis=0), out=rows(scratch, points.shape, points.dtype))
    widest = max(least, float(points.max()) / ((1 << BITS) - 4))
    near = rows(scratch, (max(LEAST_PAIRS, 2 * count), 2), np.dtype(np.int64))
    found = _add_near(points, reach, component, count, 0.0, widest, near, 0, scratch)
    while widest < reach.max():
        found = _add_near(points, reach, component, count, widest, 2 * widest, near, found, scratch)
        widest *= 2
    joining = _choose(points, near[:found], component, count, scratch)
    return _with(edges, joining, scratch) if len(joining) else edges


@compiled
def _with(edges: Edges, more: NDArray[np.int64], scratch: Scratch) -> Edges:
    """All these edges, in order."""
    every = longs(scratch, 2 * (len(edges) + len(more))).reshape(-1, 2)
    every[: len(edges)], every[len(edges) :] = edges, more
    return in_order(every, scratch)


@compiled
def _add_near(
    points: Points,
    reach: NDArray[np.float64],
    component: NDArray[np.int64],
    components: int,
    above: float,
    widest: float,
    near: Pairs,
    found: int,
    scratch: Scratch,
) -> int:
    """Add pairs of vertices of different components whose balls meet, the larger ball being of more than `above` to `widest`.

    Of those between two components in two cells, it is the nearest. How many are there then, with those before.
    """
    mark = in_use(scratch)
    members = longs(scratch, len(points))
    count = large = 0
    for v in range(len(points)):
        if reach[v] <= widest:
            members[count] = v
            count += 1
            large += reach[v] > above
    if large == 0:
        give_back(scratch, mark)
        return found
    parts, cells = keys_for(scratch, count), keys_for(scratch, count)
    for n in range(count):
        v = members[n]
        parts[n] = component[v]
        key = np.uint64(0)
        for axis in range(2, -1, -1):  # so large that a ball reaches only into the next ones
            key = key << np.uint64(BITS) | np.uint64(np.int64(points[v, axis] / (2 * widest)) + 1)
        cells[n] = key
    order = stable_order(cells, stable_order(parts, numbered(scratch, count), scratch), scratch)
    ordered, keys, is_large = longs(scratch, count), longs(scratch, count), flags(scratch, count, False)
    for n in range(count):
        ordered[n], keys[n] = members[order[n]], cells[order[n]]
        is_large[n] = reach[ordered[n]] > above
    found = _add_pairs(points, reach, component, components, ordered, keys, is_large, near, found, scratch)
    give_back(scratch, mark)
    return found


@compiled
def _add_pairs(
    points: Points,
    reach: NDArray[np.float64],
    component: NDArray[np.int64],
    components: int,
    members: NDArray[np.int64],
    keys: NDArray[np.int64],
    is_large: NDArray[np.bool_],
    near: Pairs,
    found: int,
    scratch: Scratch,
) -> int:
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
                    if found == len(near):  # those that are chosen of some are chosen of all, or nearer ones are
                        mark = in_use(scratch)
                        chosen = _choose(points, near, component, components, scratch)
                        found = len(chosen)
                        near[:found] = chosen
                        give_back(scratch, mark)
                    a, b = _nearest(points, reach, members, is_large, first, last, run, end)
                    if a >= 0:
                        near[found, 0], near[found, 1] = min(a, b), max(a, b)
                        found += 1
                run = end
        first = last
    return found


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
def _choose(points: Points, near: Pairs, component: NDArray[np.int64], components: int, scratch: Scratch) -> Pairs:
    """The pairs that, the nearest first, join two components that were not joined yet: fewer than there are components."""
    parents, chosen = numbered(scratch, components), longs(scratch, 2 * min(components, len(near))).reshape(-1, 2)
    count = 0
    for n in _nearest_first(points, near, scratch):
        if unite(parents, component[near[n, 0]], component[near[n, 1]]):
            chosen[count] = near[n]
            count += 1
    return chosen[:count]


@compiled
def _nearest_first(points: Points, near: Pairs, scratch: Scratch) -> NDArray[np.int64]:
    """The order of pairs by what lies between them, and of those that are equal in it by their vertices."""
    keys, lengths = keys_for(scratch, len(near)), doubles(scratch, len(near))
    order = numbered(scratch, len(near))
    for side in range(1, -1, -1):
        for n in range(len(near)):
            keys[n] = near[n, side]
        order = stable_order(keys, order, scratch)
    for n in range(len(near)):
        lengths[n] = np.sqrt(square_of(points, near[n, 0], near[n, 1]))
    return stable_order(keys_of_floats(lengths, scratch), order, scratch)
