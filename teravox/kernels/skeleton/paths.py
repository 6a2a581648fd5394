"""A path from a voxel to those that are drawn, once it is known where it leads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import NO_STEP, Lattice, Lengths, Place, Places, Ways, voxel_at
from teravox.kernels.skeleton.search import DRAWN

Pairs = NDArray[np.int32]  # rows of two places, joined by an edge


@compiled
def walk_back(end: Place, ways: Ways, lattice: Lattice, most: int) -> Places:
    """The path from where a search began to this voxel, of so many at most."""
    length = 1
    here = end
    while ways[here] != NO_STEP:
        here -= lattice.offsets[ways[here]]
        length += 1
        if length > most:
            raise ValueError("A path does not end: its component is not connected")
    path = np.empty(length, np.int32)
    here = end
    for i in range(length - 1, -1, -1):
        path[i] = here
        if i:
            here -= lattice.offsets[ways[here]]
    return path


@compiled
def walk_home(start: Place, ways: Ways, costs: Lengths, lattice: Lattice, most: int) -> Places:
    """The path from this voxel towards where a search began, as far as none is drawn yet, of so many voxels at most."""
    length = 1
    here = start
    while costs[here] != DRAWN:
        here -= lattice.offsets[ways[here]]
        length += 1
        if length > most:
            raise ValueError("A path does not end: its component is not connected")
    path = np.empty(length, np.int32)
    here = start
    for i in range(length):
        path[i] = here
        if i + 1 < length:
            here -= lattice.offsets[ways[here]]
    return path


@compiled
def cut_at_soma(path: Places, root: Place, soma: float, is_given: bool, lattice: Lattice) -> Places:
    """The path until it comes within the soma, and straight to the root there; a voxel that is given stays."""
    rx, ry, rz = voxel_at(root, lattice.row, lattice.plane, lattice.first)
    sx, sy, sz = lattice.step
    for i in range(len(path)):
        x, y, z = voxel_at(path[i], lattice.row, lattice.plane, lattice.first)
        away = ((x - rx) * sx) ** 2 + ((y - ry) * sy) ** 2 + ((z - rz) * sz) ** 2
        if away <= soma * soma and (i > 0 or not is_given):
            cut = path[: i + 1].copy()
            if i:
                cut[i] = root
            return cut
    return path


@compiled
def add_edges(path: Places, pairs: Pairs, drawn: int) -> Pairs:
    """Rows for the path, behind so many that are there."""
    need = drawn + len(path) - 1
    if need > len(pairs):
        grown = np.empty((2 * need, 2), np.int32)
        for i in range(drawn):
            grown[i, 0] = pairs[i, 0]
            grown[i, 1] = pairs[i, 1]
        pairs = grown
    for i in range(len(path) - 1):
        pairs[drawn + i, 0] = path[i]
        pairs[drawn + i, 1] = path[i + 1]
    return pairs
