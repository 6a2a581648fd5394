"""Rolls a ball along a path: what it covers of a component needs no path of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import NEIGHBOURS, Lattice, Lengths, Places, voxel_at
from teravox.kernels.skeleton.ring import ELSE, VOXEL, Heights, Stacks, grow, make_stacks

Best = NDArray[np.uint16]

FINE = 8  # buckets in the shortest step
MOST = 60_000  # buckets, so that their numbers fit into `best`


def make_buckets(step: Lengths, largest: float) -> Lengths:
    """By bucket the square of the length where it begins, shifted by one: the first is for what is covered."""
    width = max(float(step.min()) / FINE, largest / MOST)
    count = int(largest / width) + 2
    squares = np.empty(count + 2, np.float32)
    squares[0] = -1
    squares[1:-1] = (np.arange(count) * width) ** 2
    squares[-1] = np.inf
    return squares


@compiled
def open_all(places: Places, best: Best, squares: Lengths) -> None:
    """Let nothing be covered of these voxels."""
    for place in places:
        best[place] = len(squares) - 1


@compiled
def roll_ball(sources: Places, radii: Lengths, best: Best, squares: Lengths, lattice: Lattice) -> int:
    """Cover what lies within the radius of a source and is connected to it by what is not covered yet; say how much.

    `best` is by place the bucket of the nearest source so far: 0 what is covered or not of the component,
    the last where no source has come. The nearest source takes a voxel, and its radius decides what comes next.
    """
    longest = np.float32(0)
    for length in lattice.lengths:
        longest = max(longest, length)
    stacks = make_stacks(longest / np.sqrt(squares[2]) + 1, len(sources))
    heights = np.zeros(len(stacks), np.int64)
    for s in range(len(sources)):
        if best[sources[s]] != 0:
            best[sources[s]] = 1
            stacks[1, heights[1], VOXEL] = sources[s]
            stacks[1, heights[1], ELSE] = s
            heights[1] += 1
    covered, turn = _roll(sources, radii, best, squares, lattice, stacks, heights, 1)
    while turn >= 0:
        stacks = grow(stacks, heights)
        more, turn = _roll(sources, radii, best, squares, lattice, stacks, heights, turn)
        covered += more
    return covered


@compiled
def _roll(
    sources: Places,
    radii: Lengths,
    best: Best,
    squares: Lengths,
    lattice: Lattice,
    stacks: Stacks,
    heights: Heights,
    turn: int,
) -> tuple[int, int]:
    """How many voxels are covered, and the bucket where there was no room left, below 0 where all is done."""
    row, plane, first = lattice.row, lattice.plane, lattice.first
    sx, sy, sz = lattice.step
    origins = np.empty((len(sources), 3), np.int32)
    for s in range(len(sources)):
        origins[s, 0], origins[s, 1], origins[s, 2] = voxel_at(sources[s], row, plane, first)
    inverse = np.float32(1) / np.sqrt(squares[2])
    ring = len(stacks) - 1
    room = stacks.shape[1] - NEIGHBOURS
    covered = 0
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
        if best[here] == 0:
            continue
        source = stacks[bucket, heights[bucket], ELSE]
        best[here] = 0
        covered += 1
        limit = radii[source] * radii[source]
        x, y, z = voxel_at(here, row, plane, first)
        x -= origins[source, 0]
        y -= origins[source, 1]
        z -= origins[source, 2]
        before, level, after = ((x - 1) * sx) ** 2, (x * sx) ** 2, ((x + 1) * sx) ** 2
        fullest = 0
        for dz in range(-1, 2):
            deep = ((z + dz) * sz) ** 2
            for dy in range(-1, 2):
                high = deep + ((y + dy) * sy) ** 2
                middle = here + dz * plane + dy * row
                for dx in range(-1, 2):
                    there = np.uint64(middle + dx)
                    nearest = best[there]
                    if nearest == 0:
                        continue
                    square = high + (before if dx < 0 else level if dx == 0 else after)
                    if square < limit and square < squares[nearest]:
                        bucket = int(np.sqrt(square) * inverse) + 1
                        best[there] = bucket
                        bucket = max(bucket, turn) & ring
                        stacks[bucket, heights[bucket], VOXEL] = there
                        stacks[bucket, heights[bucket], ELSE] = source
                        heights[bucket] += 1
                        fullest = max(fullest, heights[bucket])
        if fullest >= room:
            return covered, turn
    return covered, -1
