"""Finds the voxels of chosen components, all in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import Lattice, Lengths, Places, voxel_at

Numbers = NDArray[np.uint32]
Starts = NDArray[np.int64]


def gather(numbers: Numbers, chosen: NDArray[np.int64], lattice: Lattice) -> tuple[Places, Starts]:
    """The places of the voxels of each chosen component, in order; those of the i-th begin at the i-th start."""
    most = int(chosen.max(initial=0))
    turns = np.full(most + 1, -1, np.int64)
    turns[chosen] = np.arange(len(chosen))
    flat = numbers.reshape(-1, order="F")
    starts = np.zeros(len(chosen) + 1, np.int64)
    _count(flat, turns, starts)
    np.cumsum(starts, out=starts)
    places = np.empty(starts[-1], np.int32)
    _place(flat, np.array(numbers.shape), turns, starts[:-1].copy(), places, lattice.row, lattice.plane, lattice.first)
    return places, starts


@compiled
def _count(flat: Numbers, turns: Starts, starts: Starts) -> None:
    for i in range(len(flat)):
        if flat[i] < len(turns) and turns[flat[i]] >= 0:
            starts[turns[flat[i]] + 1] += 1


@compiled
def _place(
    flat: Numbers, size: Starts, turns: Starts, ends: Starts, places: Places, row: int, plane: int, first: int
) -> None:
    i = 0
    for z in range(size[2]):
        for y in range(size[1]):
            here = first + z * plane + y * row
            for x in range(size[0]):
                if flat[i] < len(turns):
                    turn = turns[flat[i]]
                    if turn >= 0:
                        places[ends[turn]] = here + x
                        ends[turn] += 1
                i += 1


def take(values: Lengths, places: Places, lattice: Lattice) -> Lengths:
    """What an array of the box has at these places."""
    return _take(values.reshape(-1, order="F"), np.array(values.shape), places, lattice)


@compiled
def _take(flat: Lengths, size: Starts, places: Places, lattice: Lattice) -> Lengths:
    taken = np.empty(len(places), np.float32)
    for i in range(len(places)):
        x, y, z = voxel_at(places[i], lattice.row, lattice.plane, lattice.first)
        taken[i] = flat[x + size[0] * (y + size[1] * z)]
    return taken
