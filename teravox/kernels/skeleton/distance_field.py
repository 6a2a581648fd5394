"""The distance of each voxel of a component from one of them, on paths from neighbour to neighbour."""

from __future__ import annotations

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import NEIGHBOURS, Lattice, Lengths, Place
from teravox.kernels.skeleton.ring import VOXEL, Heights, Stacks, grow, make_stacks


@compiled
def measure_from(root: Place, distance: Lengths, lattice: Lattice) -> None:
    """Write `distance` at each voxel that is inf before and that paths from the root reach; those below 0 are walls.

    Voxels wait in buckets as wide as the shortest step: no voxel in a bucket can be reached better through another
    one in it, but by the rounding of sums, and then it waits again.
    """
    shortest = min(lattice.step[0], lattice.step[1], lattice.step[2])
    longest = np.float32(0)
    for length in lattice.lengths:
        longest = max(longest, length)
    stacks = make_stacks(longest / shortest, 1)
    heights = np.zeros(len(stacks), np.int64)
    distance[root] = 0
    stacks[0, 0, VOXEL] = root
    heights[0] = 1
    turn = _measure(distance, lattice, 1 / shortest, stacks, heights, 0)
    while turn >= 0:
        stacks = grow(stacks, heights)
        turn = _measure(distance, lattice, 1 / shortest, stacks, heights, turn)


@compiled
def _measure(distance: Lengths, lattice: Lattice, inverse: float, stacks: Stacks, heights: Heights, turn: int) -> int:
    """The bucket where there was no room left, below 0 where all is done."""
    row, plane, lengths = lattice.row, lattice.plane, lattice.lengths
    ring = len(stacks) - 1
    room = stacks.shape[1] - NEIGHBOURS
    empty = 0
    while empty <= ring:
        bucket = turn & ring
        if heights[bucket] == 0:
            turn += 1
            empty += 1
            continue
        empty = 0
        heights[bucket] -= 1
        here = stacks[bucket, heights[bucket], VOXEL]
        near = distance[here]
        if int(near * inverse) < turn:
            continue  # it has been here before
        fullest = 0
        k = -1
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                middle = here + dz * plane + dy * row
                for dx in range(-1, 2):
                    k += 1
                    there = np.uint64(middle + dx)
                    far = near + lengths[k]
                    if far < distance[there]:
                        distance[there] = far
                        bucket = max(int(far * inverse), turn) & ring
                        stacks[bucket, heights[bucket], VOXEL] = there
                        heights[bucket] += 1
                        fullest = max(fullest, heights[bucket])
        if fullest >= room:
            return turn
    return -1
