"""Makes the mips above an array; knows nothing of layers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.average import averages
from teravox.kernels.mode import modes
from teravox.kernels.slabs import Method, Vec, sizes_above, slab_depth

Array = NDArray[Any]  # of whatever the layer holds


def downsample(array: Array, factor: Vec, mips: int, method: Method, *, sparse: bool = False) -> list[Array]:
    """The mips 1 to `mips` above an array of x, y, z and channel, in Fortran order.

    Cells of `factor` voxels are counted from the array's first voxel; those that the upper faces cut off use the
    voxels that are there. Averages are of full-size voxels, every other method takes its mip from the one below.
    With `sparse`, zeros do not count for averages and modes.
    """
    size = (array.shape[0], array.shape[1], array.shape[2])
    results = [
        np.empty((*sizes_above(size, factor, mip), array.shape[3]), array.dtype, order="F")
        for mip in range(1, mips + 1)
    ]
    step = slab_depth(size, array.shape[3], factor, mips)
    for start in range(0, size[2], step):
        slab = array[:, :, start : start + step]
        for mip, part in enumerate(_one_slab(slab, factor, mips, method, sparse=sparse)):
            z = start // factor[2] ** (mip + 1)
            results[mip][:, :, z : z + part.shape[2]] = part
    return results


def _one_slab(slab: Array, factor: Vec, mips: int, method: Method, *, sparse: bool) -> list[Array]:
    if method == "average":
        return averages(slab, factor, mips, sparse=sparse)
    results = []
    for _ in range(mips):
        if method == "mode":
            slab = modes(slab, factor, sparse=sparse)
        elif method == "stride":
            slab = slab[:: factor[0], :: factor[1], :: factor[2]]
        else:
            slab = _extremes(slab, factor, np.minimum if method == "min" else np.maximum)
        results.append(slab)
    return results


def _extremes(array: Array, factor: Vec, pick: np.ufunc) -> Array:
    result = np.array(array[:: factor[0], :: factor[1], :: factor[2]], order="F")
    for x, y, z in itertools.product(*map(range, factor)):
        part = array[x :: factor[0], y :: factor[1], z :: factor[2]]
        inside = result[tuple(slice(0, n) for n in part.shape)]
        pick(inside, part, out=inside)
    return result
