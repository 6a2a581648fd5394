"""The voxels of a component as a mask in the least box around it, and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import Lattice, Lengths, Places, voxel_at

Starts = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Crop(NamedTuple):
    """A box of a lattice, and which of its voxels are of a component."""

    low: tuple[int, int, int]
    mask: Mask


def crop(places: Places, lattice: Lattice) -> Crop:
    """The least box around these voxels."""
    x0, y0, z0, x1, y1, z1 = _bounds(places, lattice).tolist()
    mask = np.zeros((x1 - x0 + 1, y1 - y0 + 1, z1 - z0 + 1), np.bool_, order="F")
    _paint(mask.reshape(-1, order="F"), np.array(mask.shape), np.array((x0, y0, z0)), places, lattice)
    return Crop((x0, y0, z0), mask)


@compiled
def _bounds(places: Places, lattice: Lattice) -> NDArray[np.int32]:
    x0, y0, z0 = voxel_at(places[0], lattice.row, lattice.plane, lattice.first)
    x1, y1, z1 = x0, y0, z0
    for place in places:
        x, y, z = voxel_at(place, lattice.row, lattice.plane, lattice.first)
        x0, y0, z0 = min(x0, x), min(y0, y), min(z0, z)
        x1, y1, z1 = max(x1, x), max(y1, y), max(z1, z)
    return np.array([x0, y0, z0, x1, y1, z1], np.int32)


@compiled
def _paint(flat: Mask, size: Starts, low: Starts, places: Places, lattice: Lattice) -> None:
    for place in places:
        x, y, z = voxel_at(place, lattice.row, lattice.plane, lattice.first)
        flat[x - low[0] + size[0] * (y - low[1] + size[1] * (z - low[2]))] = True


def collect(of: Crop, values: NDArray[np.float32], lattice: Lattice) -> tuple[Places, Lengths]:
    """The places of the voxels in a mask, in order, and what an array of its box has there."""
    number = int(np.count_nonzero(of.mask))
    places, taken = np.empty(number, np.int32), np.empty(number, np.float32)
    flat, rows = of.mask.reshape(-1, order="F"), values.reshape(-1, order="F")
    _collect(flat, rows, np.array(of.mask.shape), np.array(of.low), places, taken, lattice)
    return places, taken


@compiled
def _collect(
    flat: Mask, rows: Lengths, size: Starts, low: Starts, places: Places, taken: Lengths, lattice: Lattice
) -> None:
    i = number = 0
    for z in range(low[2], low[2] + size[2]):
        for y in range(low[1], low[1] + size[1]):
            here = lattice.first + low[0] + y * lattice.row + z * lattice.plane
            for x in range(size[0]):
                if flat[i]:
                    places[number] = here + x
                    taken[number] = rows[i]
                    number += 1
                i += 1
