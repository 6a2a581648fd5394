"""Gaussian smoothing in place, by which a voxel gets the same value, to the last bit, in whichever box it is read.

That is so for voxels that are `radius` away from where a box was cut. Filters that take several voxels at once round
the last ones of a row otherwise, which is why this one is ours. At its ends the box is mirrored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Floats = NDArray[np.float32]  # z, y and x
Zyx = tuple[float, float, float]

STRIP = 512  # columns that are smoothed along z or y at once, which stay in the cache


def radius(sigma: float) -> int:
    """How many voxels to either side the smoothed value depends on."""
    return int(3 * sigma + 0.5)


def in_slice(sigmas: Zyx, *, per_slice: bool) -> Zyx:
    """The sigmas, or those of slices that are smoothed alone."""
    return (0.0, sigmas[1], sigmas[2]) if per_slice else sigmas


def reaches(sigmas: Zyx) -> tuple[int, int, int]:
    """`radius` along each axis."""
    z, y, x = sigmas
    return radius(z), radius(y), radius(x)


def smooth(values: Floats, sigmas: Zyx) -> Floats:
    """Smooth a contiguous array in place, by so many voxels along z, y and x, and return it."""
    z, y, x = (weights(sigma, radius(sigma)) for sigma in sigmas)
    if values.size:
        planes, rows, columns = values.shape
        if len(z) > 1 and planes > 1:
            flat = values.reshape(1, planes, rows * columns)
            _along_middle(flat, flat, 0, z)
        if len(y) > 1 and rows > 1:
            _along_middle(values, values, 0, y)
        if len(x) > 1 and columns > 1:
            lines = values.reshape(planes * rows, columns)
            _along_last(lines, lines, 0, x)
    return values


def smooth_part(
    values: Floats, halves: tuple[Floats, Floats, Floats], start: tuple[int, int, int], shape: tuple[int, int, int]
) -> Floats:
    """A part of a contiguous array smoothed, by `weights` along z, y and x; it may lie beyond the ends, which are mirrored."""
    z, y, x = halves
    planes, rows, columns = values.shape
    along_z = np.empty((shape[0], rows, columns), np.float32)
    _along_middle(values.reshape(1, planes, -1), along_z.reshape(1, shape[0], -1), start[0], z)
    along_y = np.empty((shape[0], shape[1], columns), np.float32)
    _along_middle(along_z, along_y, start[1], y)
    del along_z
    result = np.empty(shape, np.float32)
    _along_last(along_y.reshape(-1, columns), result.reshape(-1, shape[2]), start[2], x)
    return result


def weights(sigma: float, reach: int) -> Floats:
    """The weight of a voxel, and of the two at each distance from it; all of them sum to 1."""
    distances = np.arange(reach + 1)
    found = np.exp(-0.5 * (distances / sigma) ** 2) if sigma > 0 else np.ones(1)
    found /= found[0] + 2 * found[1:].sum()
    rounded: Floats = found.astype(np.float32)
    return read_only(rounded)


@compiled
def mirrored(at: int, size: int) -> int:
    """Where the voxel lies that stands for one beyond the ends: the array is mirrored, without its last voxel twice."""
    if size == 1:
        return 0
    at = abs(at) % (2 * size - 2)
    return at if at < size else 2 * size - 2 - at


@compiled
def _along_middle(values: Floats, into: Floats, first: int, weights: Floats) -> None:
    """Smooth along the middle axis, from `first` on so many as `into` has, which may be `values` itself."""
    outer, size, columns = values.shape
    wanted = into.shape[1]
    reach = len(weights) - 1
    rows = into.reshape(outer * wanted, columns)
    padded = np.empty((wanted + 2 * reach) * STRIP, np.float32)
    for block in range(outer):
        for start in range(0, columns, STRIP):
            width = min(STRIP, columns - start)
            for at in range(wanted + 2 * reach):
                line, copy = values[block, mirrored(first + at - reach, size)], padded[at * STRIP : (at + 1) * STRIP]
                for column in range(width):
                    copy[column] = line[start + column]
            for at in range(wanted):
                _sum(rows, block * wanted + at, start, width, padded, (at + reach) * STRIP, STRIP, weights)


@compiled
def _along_last(values: Floats, into: Floats, first: int, weights: Floats) -> None:
    """Smooth along the last axis, from `first` on so many as `into` has, which may be `values` itself."""
    rows, size = values.shape
    wanted = into.shape[1]
    reach = len(weights) - 1
    padded = np.empty(wanted + 2 * reach, np.float32)
    begin = min(max(reach - first, 0), len(padded))  # where in the padded row the one of the array begins and ends
    end = max(min(size + reach - first, len(padded)), begin)
    for row in range(rows):
        for at in range(begin):
            padded[at] = values[row, mirrored(first + at - reach, size)]
        for at in range(end, len(padded)):
            padded[at] = values[row, mirrored(first + at - reach, size)]
        line, copy = values[row, begin + first - reach : end + first - reach], padded[begin:end]
        for at in range(len(copy)):
            copy[at] = line[at]
        _sum(into, row, 0, wanted, padded, reach, 1, weights)


@compiled
def _sum(
    into: Floats, row: int, start: int, width: int, source: Floats, middle: int, step: int, weights: Floats
) -> None:
    """The weighted sum of what lies round each voxel, `step` apart: the nearest first, four distances in one go."""
    result, here = into[row, start : start + width], source[middle : middle + width]
    reach = len(weights) - 1
    for at in range(width):
        result[at] = here[at] * weights[0]
    for distance in range(1, reach - 2, 4):
        before = middle - distance * step
        after = middle + distance * step
        before_1, after_1 = source[before : before + width], source[after : after + width]
        before, after = before - step, after + step
        before_2, after_2 = source[before : before + width], source[after : after + width]
        before, after = before - step, after + step
        before_3, after_3 = source[before : before + width], source[after : after + width]
        before, after = before - step, after + step
        before_4, after_4 = source[before : before + width], source[after : after + width]
        one, two, three, four = weights[distance], weights[distance + 1], weights[distance + 2], weights[distance + 3]
        for at in range(width):
            result[at] = (
                result[at]
                + (before_1[at] + after_1[at]) * one
                + (before_2[at] + after_2[at]) * two
                + (before_3[at] + after_3[at]) * three
                + (before_4[at] + after_4[at]) * four
            )
    for distance in range(reach - reach % 4 + 1, reach + 1):
        before, after, one = middle - distance * step, middle + distance * step, weights[distance]
        before_1, after_1 = source[before : before + width], source[after : after + width]
        for at in range(width):
            result[at] += (before_1[at] + after_1[at]) * one
