"""Entries of a queue in buckets, each a chain: those that are free are a chain, too.

Arrays don't grow inside of the loops that use them, which would be ten times slower: loops end where one more voxel's
neighbours have no room, and go on with more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import NEIGHBOURS

Entries = NDArray[np.int32]  # rows of a voxel and the next entry
State = NDArray[np.int64]

NONE = -1
VOXEL, NEXT = 0, 1
FREE, WAITING, TURN = 0, 1, 2  # the first free entry, how many are not free, and the bucket


@compiled
def make_entries(number: int) -> Entries:
    """So many entries that are free."""
    entries = np.empty((number, 2), np.int32)
    for one in range(number):
        entries[one, NEXT] = one + 1 if one + 1 < number else NONE
    return entries


@compiled
def grow(entries: Entries, state: State) -> Entries:
    """Twice as many entries."""
    number = len(entries)
    grown = np.empty((2 * number, 2), np.int32)
    for one in range(2 * number):
        if one < number:
            grown[one, VOXEL] = entries[one, VOXEL]
            grown[one, NEXT] = entries[one, NEXT]
        else:
            grown[one, NEXT] = one + 1 if one + 1 < 2 * number else state[FREE]
    state[FREE] = number
    return grown


@compiled
def has_room(entries: Entries, waiting: int) -> bool:
    """Whether all neighbours of one voxel may still come."""
    return waiting + NEIGHBOURS < len(entries)
