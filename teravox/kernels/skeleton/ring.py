"""A queue in a ring of buckets, each a stack of entries.

All that waits lies within one turn of the ring. Arrays don't grow inside of the loops that use them, which would be ten times
slower: loops end where one more voxel's neighbours may not have room, and go on with more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import NEIGHBOURS

Stacks = NDArray[np.int32]  # by bucket and place in the stack: a voxel, and something else
Heights = NDArray[np.int64]  # by bucket

START = 256
VOXEL, ELSE = 0, 1


@compiled
def make_stacks(span: float, least: int) -> Stacks:
    """Room for buckets that lie no more than `span` apart, and for at least so many entries in each."""
    buckets = 2
    while buckets < span + 2:
        buckets *= 2
    return np.empty((buckets, max(START, least + NEIGHBOURS + 1), 2), np.int32)


@compiled
def grow(stacks: Stacks, heights: Heights) -> Stacks:
    """Twice as much room."""
    grown = np.empty((len(stacks), 2 * stacks.shape[1], 2), np.int32)
    for bucket in range(len(stacks)):
        for i in range(heights[bucket]):
            grown[bucket, i, VOXEL] = stacks[bucket, i, VOXEL]
            grown[bucket, i, ELSE] = stacks[bucket, i, ELSE]
    return grown
