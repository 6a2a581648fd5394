"""Makes the mips above an array; knows nothing of layers."""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.average import averages
from teravox.kernels.mode import modes

Array = NDArray[Any]  # of whatever the layer holds
Vec = tuple[int, int, int]
Method = Literal["average", "mode", "min", "max", "stride"]

SLAB = 1 << 20  # voxels that are worked on at a time: what is made of them stays small, and in the cache


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


def sizes_above(size: Vec, factor: Vec, mip: int) -> Vec:
    """The size of a mip above an array."""
    x, y, z = (-(-n // f**mip) for n, f in zip(size, factor, strict=True))
    return (x, y, z)


def slab_depth(size: Vec, channels: int, factor: Vec, mips: int) -> int:
    """How many planes are worked on at a time: whole cells of the highest mip."""
    cell = factor[2] ** mips
    return int(max(1, SLAB // max(1, size[0] * size[1] * channels * cell)) * cell)


def working_bytes(
    size: Vec, channels: int, itemsize: int, factor: Vec, mips: int, method: Method, *, sparse: bool
) -> int:
    """The most bytes that `downsample` needs beside its input and its results."""
    depth = min(size[2], slab_depth(size, channels, factor, mips))
    voxels = size[0] * size[1] * depth * channels
    if method == "average":
        wide = 16 if itemsize == 8 else 8
        a_voxel = wide * 2.5 + itemsize + (9 if sparse else 0)  # the terms, their sums, what the division makes
    elif method == "mode":
        a_voxel = itemsize * 1.5 + 16 / math.prod(factor) + 2
    else:
        a_voxel = itemsize * 1.5
    return math.ceil(voxels * a_voxel)


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
