"""Finds the cheapest way from a voxel to the paths that are drawn."""

from __future__ import annotations

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.calendar import BUCKETS, Calendar, clear, clear_all, mark, next_full
from teravox.kernels.skeleton.lattice import NO_STEP, Lattice, Lengths, Place, Places, Ways
from teravox.kernels.skeleton.pool import (
    FREE,
    NEXT,
    NONE,
    TURN,
    VOXEL,
    WAITING,
    Entries,
    State,
    grow,
    has_room,
    make_entries,
)

START = 1024
DRAWN = np.float32(-1)  # the cost of a voxel that is on a path
REACHED, FOUND = 3, 4  # of the state: how many voxels are reached, and the one that is on a path


@compiled
def find_way(
    source: Place,
    total: Lengths,
    ways: Ways,
    costs: Lengths,
    width: float,
    lattice: Lattice,
    calendar: Calendar,
    reached: Places,
) -> tuple[Place, int]:
    """The nearest voxel of a path, NONE where there is none, and how many voxels are reached before it is.

    Distances are sums of costs. Voxels with the same whole number of widths come in no order.
    `total` must be inf, or below 0 in a wall; it is written, and `ways`, for the voxels that are listed in `reached`.
    """
    entries = make_entries(START)
    state = np.zeros(5, np.int64)
    total[source] = 0
    ways[source] = NO_STEP
    reached[0] = source
    state[REACHED] = 1
    state[FOUND] = NONE
    if costs[source] == DRAWN:
        return source, 1
    entries[0, VOXEL] = source
    state[FREE] = entries[0, NEXT]
    entries[0, NEXT] = NONE
    state[WAITING] = 1
    calendar.heads[0] = 0
    mark(calendar.full, calendar.words, 0)
    _find_way(total, ways, costs, width, lattice, calendar, reached, entries, state)
    while state[WAITING] and state[FOUND] == NONE:
        entries = grow(entries, state)
        _find_way(total, ways, costs, width, lattice, calendar, reached, entries, state)
    clear_all(calendar)
    return state[FOUND], state[REACHED]


@compiled
def _find_way(
    total: Lengths,
    ways: Ways,
    costs: Lengths,
    width: float,
    lattice: Lattice,
    calendar: Calendar,
    reached: Places,
    entries: Entries,
    state: State,
) -> None:
    heads, full, words = calendar
    row, plane = lattice.row, lattice.plane
    free, waiting, turn, number, _ = state
    inverse = np.float32(1 / width)
    while waiting and has_room(entries, waiting):
        bucket = next_full(full, words, turn & BUCKETS - 1)
        turn += bucket - turn & BUCKETS - 1
        one = heads[bucket]
        heads[bucket] = entries[one, NEXT]
        if heads[bucket] == NONE:
            clear(full, words, bucket)
        here = entries[one, VOXEL]
        entries[one, NEXT] = free
        free = one
        waiting -= 1
        near = total[here]
        if int(near * inverse) < turn:
            continue  # it has been here before
        k = -1
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                middle = here + dz * plane + dy * row
                for dx in range(-1, 2):
                    k += 1
                    there = np.uint64(middle + dx)
                    before = total[there]
                    if before <= near:
                        continue
                    cost = costs[there]
                    if cost == DRAWN:
                        ways[there] = k
                        state[FOUND] = there
                        state[REACHED] = number
                        return
                    far = near + cost
                    if far >= before:
                        continue
                    if before == np.inf:
                        reached[number] = there
                        number += 1
                    total[there] = far
                    ways[there] = k
                    bucket = int(far * inverse) & BUCKETS - 1
                    one = free
                    free = entries[one, NEXT]
                    entries[one, VOXEL] = there
                    entries[one, NEXT] = heads[bucket]
                    if heads[bucket] == NONE:
                        mark(full, words, bucket)
                    heads[bucket] = one
                    waiting += 1
    state[FREE] = free
    state[WAITING] = waiting
    state[TURN] = turn
    state[REACHED] = number
