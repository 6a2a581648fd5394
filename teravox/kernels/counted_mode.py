"""The most frequent voxel of cells of any size, by counting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Array = NDArray[Any]  # of whatever the layer holds
Vec = tuple[int, int, int]


def count_modes(array: Array, factor: Vec, *, sparse: bool = False) -> Array:
    """The most frequent voxel of each cell of x, y, z and channel; of several the one that comes first in the cell, x fastest.

    With `sparse`, 0 is chosen only where there is nothing else. Cells at the upper faces count what is there.
    """
    x, y, z = (-(-n // f) for n, f in zip(array.shape, factor, strict=False))
    result = np.empty((x, y, z, array.shape[3]), array.dtype, order="F")
    for c in range(array.shape[3]):
        voxels = np.asfortranarray(array[..., c]).T
        voxels.flags.writeable = False  # so that one compiled function serves all arrays
        _count(voxels, *factor, sparse, result[..., c].T)
    return result


@compiled
def _count(voxels: Array, fx: int, fy: int, fz: int, sparse: bool, result: Array) -> None:
    """Both arrays are of z, y and x."""
    depth, height, width = voxels.shape
    cell = np.empty(fx * fy * fz, voxels.dtype)
    for z in range(result.shape[0]):
        for y in range(result.shape[1]):
            for x in range(result.shape[2]):
                n = 0
                is_uniform = True
                for k in range(z * fz, min((z + 1) * fz, depth)):
                    for j in range(y * fy, min((y + 1) * fy, height)):
                        for i in range(x * fx, min((x + 1) * fx, width)):
                            voxel = voxels[k, j, i]
                            if voxel != 0 or not sparse:
                                cell[n] = voxel
                                is_uniform &= voxel == cell[0]
                                n += 1
                if n == 0:
                    result[z, y, x] = 0
                elif is_uniform:
                    result[z, y, x] = cell[0]
                else:
                    result[z, y, x] = cell[_most_frequent(cell, n)]


@compiled
def _most_frequent(cell: Array, n: int) -> int:
    """The place of the first of the most frequent of n voxels; one that came before has been counted there."""
    best = 0
    most = 0
    for place in range(n):
        if n - place <= most:
            break
        count = 0
        for other in range(place, n):
            count += cell[other] == cell[place]
        if count > most:
            best, most = place, count
    return best
