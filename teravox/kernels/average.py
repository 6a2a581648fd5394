"""Means of cells, from sums that are carried from mip to mip: each mip is the mean of full-size voxels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.slabs import goes_by_squares

Array = NDArray[Any]  # of whatever the layer holds
Vec = tuple[int, int, int]

_LOW = 0xFFFFFFFF


def averages(array: Array, factor: Vec, mips: int, *, sparse: bool = False) -> list[Array]:
    """The means of ever larger cells, one array a mip; with `sparse`, the means of those voxels that are not 0.

    Whole numbers are rounded to the nearest, and halves to the even one, once for each mip: nothing is cut off between mips.
    Floating-point voxels are summed in float64.
    """
    if array.dtype.kind in "iu" and goes_by_squares(array.dtype.itemsize, factor, mips, sparse=sparse):
        return _averages_of_squares(array, mips)
    size = (array.shape[0], array.shape[1], array.shape[2])
    most = math.prod(min(f**mips, n) for f, n in zip(factor, size, strict=True))
    counts = (array != 0).astype(_wide_enough(np.dtype(np.uint8), most)) if sparse else None
    sums, wide = _terms(array, most)
    results = []
    for mip in range(1, mips + 1):
        sums = [cell_sums(part, factor, wide) for part in sums]
        if counts is not None:
            counts = cell_sums(counts, factor, counts.dtype)
            results.append(_divide(sums, np.maximum(counts, 1), array.dtype))
            continue
        mean = np.empty(sums[0].shape, array.dtype, order="F")
        cell = (factor[0] ** mip, factor[1] ** mip, factor[2] ** mip)
        for region, count in equal_cells(size, cell):
            mean[region] = _divide([part[region] for part in sums], count, array.dtype)
        results.append(mean)
    return results


def _averages_of_squares(array: Array, mips: int) -> list[Array]:
    """Of bytes, plane by plane; those with a sign are moved up by an even number, which changes no rounding, and back."""
    from teravox.kernels.square_means import square_means  # here, as it takes time to load

    x, y, z, channels = array.shape
    signs = array.dtype.type(-128) if array.dtype.kind == "i" else array.dtype.type(0)
    planes = np.asfortranarray(array ^ signs if signs else array).reshape(-1, order="F").view(np.uint8)
    return [
        (means.view(array.dtype).reshape(-1) ^ signs if signs else means.reshape(-1)).reshape(
            (means.shape[2], means.shape[1], z, channels), order="F"
        )
        for means in square_means(planes.reshape(z * channels, y, x), mips)
    ]


def cell_sums(array: Array, factor: Vec, wide: np.dtype[Any]) -> Array:
    """The sum of each cell, in a wide type; cells at the upper faces sum what is there."""
    for axis in (1, 2, 0):  # along x last, when there is least to do in the direction in which it is slow
        if factor[axis] > 1:
            array = _sums_along(array, axis, factor[axis], wide)
    return array


def equal_cells(size: Vec, cell: Vec) -> Iterator[tuple[tuple[slice, slice, slice], int]]:
    """The regions of a downsampled array whose cells hold equally many voxels, with that number."""
    axes = []
    for voxels, length in zip(size, cell, strict=True):
        whole, rest = divmod(voxels, length)
        parts = [(slice(0, whole), length), (slice(whole, whole + 1), rest)]
        axes.append([(where, count) for where, count in parts if count and where.stop > where.start])
    for x, y, z in itertools.product(*axes):
        yield (x[0], y[0], z[0]), x[1] * y[1] * z[1]


def _sums_along(array: Array, axis: int, factor: int, wide: np.dtype[Any]) -> Array:
    def every(start: int) -> Array:
        return array[(slice(None),) * axis + (slice(start, None, factor),)]

    total = every(0).astype(wide, order="F")
    for start in range(1, factor):
        part = every(start)
        inside = total[(slice(None),) * axis + (slice(0, part.shape[axis]),)]
        np.add(inside, part, out=inside)
    return total


def _terms(array: Array, most: int) -> tuple[list[Array], np.dtype[Any]]:
    """What is to be summed, and a type that holds sums of `most` of it; 64-bit numbers as upper and lower halves."""
    if array.dtype.kind == "f":
        return [array], np.dtype(np.float64)
    if array.dtype.itemsize == 8:
        return [array >> 32, array & array.dtype.type(_LOW)], array.dtype
    return [array], _wide_enough(array.dtype, most)


def _wide_enough(dtype: np.dtype[Any], most: int) -> np.dtype[Any]:
    """The smallest type that holds the sum of `most` voxels and half as many again, for rounding."""
    need = most * (max(np.iinfo(dtype).max, -np.iinfo(dtype).min) + 1)
    for size in (2, 4, 8):
        wide = np.dtype(f"{dtype.kind}{size}")
        if size >= dtype.itemsize and need <= np.iinfo(wide).max:
            return wide
    raise OverflowError(f"sums of {most} voxels of {dtype} do not fit in 64 bits")


def _divide(sums: list[Array], counts: Array | int, dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return np.asarray(sums[0] / counts, dtype=dtype)
    if len(sums) == 1:
        return _round(sums[0], counts).astype(dtype)
    upper, lower = sums
    counts = np.asarray(counts)
    quotient = upper // counts.astype(upper.dtype)
    rest = (upper - quotient * counts.astype(upper.dtype)).astype(np.uint64)
    lower = _round((rest << np.uint64(32)) + lower.astype(np.uint64), counts.astype(np.uint64))
    return np.asarray((quotient.astype(np.uint64) << np.uint64(32)) + lower).astype(dtype)


def _round(sums: Array, counts: Array | int) -> Array:
    """The nearest whole quotients, halves to the even one."""
    if isinstance(counts, int) and counts & (counts - 1) == 0:
        return _round_shifted(sums, counts.bit_length() - 1)
    counts = np.asarray(counts, dtype=sums.dtype)
    even = (sums // counts) & 1 & (counts + 1)  # 1 where the quotient below is odd and a half is possible
    return np.asarray((sums + ((counts - 1) // 2 + even)) // counts)


def _round_shifted(sums: Array, bits: int) -> Array:
    """The same for a power of two."""
    if bits == 0:
        return sums
    rounded = sums >> bits
    rounded &= 1
    rounded += (1 << (bits - 1)) - 1
    rounded += sums
    rounded >>= bits
    return rounded
