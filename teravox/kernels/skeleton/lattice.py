"""Voxels of a box as places in one flat array, with room around it, so that each voxel has all its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Place = int | np.int32 | np.int64
Places = NDArray[np.int32]
Lengths = NDArray[np.float32]
Ways = NDArray[np.uint8]  # by place, the step that led there

NEIGHBOURS = 27  # by z, y and x, the voxel itself among them
NO_STEP = 13  # which leads from a voxel to itself
MOST = 2**31 - 1  # places, so that one is an int32


class Lattice(NamedTuple):
    """How far neighbours are from each other, in places and in nanometres."""

    row: int  # places from y to y + 1; one more than a row has voxels, so that no neighbour is taken for another
    plane: int  # places from z to z + 1
    first: int  # the place of voxel 0, 0, 0
    places: int  # all there are
    step: Lengths  # nanometres from voxel to voxel, by axis
    offsets: Places  # by neighbour, in places
    lengths: Lengths  # by neighbour, in nanometres


def make_lattice(size: tuple[int, ...], step: tuple[float, float, float]) -> Lattice:
    """The lattice of a box of so many voxels."""
    row = size[0] + 1
    plane = row * (size[1] + 1)
    first = plane + row + 1
    places = plane * size[2] + 2 * first
    if places > MOST:
        raise ValueError(f"A box of {size} voxels is too large to trace at once: it takes {places} places of {MOST}")
    steps = np.array(step, np.float32)
    rows = [(x, y, z) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    moves = np.array(rows, np.int32)
    offsets = moves @ np.array([1, row, plane], np.int32)
    lengths = np.sqrt(np.sum((moves * steps) ** 2, axis=1, dtype=np.float32)).astype(np.float32)
    return Lattice(row, plane, first, places, steps, offsets.astype(np.int32), lengths)


@compiled
def voxel_at(place: Place, row: int, plane: int, first: int) -> tuple[np.int32, np.int32, np.int32]:
    """The voxel at a place, by x, y and z."""
    rest = np.int32(place - first)
    z = rest // np.int32(plane)
    rest -= z * np.int32(plane)
    y = rest // np.int32(row)
    return rest - y * np.int32(row), y, z


def voxels_at(places: Places, lattice: Lattice) -> NDArray[np.int32]:
    """The voxels at these places: rows of x, y and z."""
    z, rest = np.divmod(places - np.int32(lattice.first), np.int32(lattice.plane))
    y, x = np.divmod(rest, np.int32(lattice.row))
    return np.stack([x, y, z], axis=1)


def places_of(voxels: Sequence[Sequence[int]] | NDArray[np.int32], lattice: Lattice) -> Places:
    """The places of voxels given by x, y and z."""
    rows = np.asarray(voxels, np.int64).reshape(-1, 3)
    places: Places = (rows @ np.array([1, lattice.row, lattice.plane]) + lattice.first).astype(np.int32)
    return places
