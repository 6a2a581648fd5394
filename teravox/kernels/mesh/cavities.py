"""Fills holes inside of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.components import label

Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z
Components = NDArray[np.uint32]

FILLING = 10  # bytes of a voxel while `fill_cavities` works

_NOBODY, _MANY = -1, -2


def fill_cavities(voxels: Voxels) -> None:
    """Give background that a single label encloses to this label, in place.

    Background that is connected by faces is one hole. It is enclosed where all its neighbours by faces are of one label,
    and where it does not reach the outermost voxels of the array, beyond which it may go on.
    """
    holes, number = label(voxels == 0, 6)
    if number:
        owners = np.full(number + 1, _NOBODY, np.int64)
        _find_owners(holes, voxels, owners)
        if (owners >= 0).any():
            _fill(holes, voxels, owners)


@compiled
def _find_owners(holes: Components, voxels: Voxels, owners: NDArray[np.int64]) -> None:  # pragma: no cover - compiled
    nx, ny, nz = voxels.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                hole = holes[x, y, z]
                if hole == 0 or owners[hole] == _MANY:
                    continue
                if x == 0 or y == 0 or z == 0 or x == nx - 1 or y == ny - 1 or z == nz - 1:
                    owners[hole] = _MANY
                    continue
                for a, b, c in ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)):
                    there = np.int64(voxels[x + a, y + b, z + c])
                    if there != 0 and owners[hole] != there:
                        owners[hole] = there if owners[hole] == _NOBODY else _MANY


@compiled
def _fill(holes: Components, voxels: Voxels, owners: NDArray[np.int64]) -> None:  # pragma: no cover - compiled
    nx, ny, nz = voxels.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                hole = holes[x, y, z]
                if hole != 0 and owners[hole] >= 0:
                    voxels[x, y, z] = owners[hole]
