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

STRIP = 64  # columns that are smoothed along z or y at once, which stay in the cache


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
    z, y, x = (read_only(_weights(sigma)) for sigma in sigmas)
    if values.size:
        planes, rows, columns = values.shape
        if len(z) > 1 and planes > 1:
            _along_middle(values.reshape(1, planes, rows * columns), z)
        if len(y) > 1 and rows > 1:
            _along_middle(values, y)
        if len(x) > 1 and columns > 1:
            _along_last(values.reshape(planes * rows, columns), x)
    return values


def _weights(sigma: float) -> Floats:
    """The weight of a voxel, and of the two at each distance from it."""
    distances = np.arange(radius(sigma) + 1)
    weights = np.exp(-0.5 * (distances / sigma) ** 2) if sigma > 0 else np.ones(1)
    weights /= weights[0] + 2 * weights[1:].sum()
    rounded: Floats = weights.astype(np.float32)
    return rounded


@compiled
def _mirrored(at: int, size: int) -> int:
    if size == 1:
        return 0
    at = abs(at) % (2 * size - 2)
    return at if at < size else 2 * size - 2 - at


@compiled
def _along_middle(values: Floats, weights: Floats) -> None:
    outer, size, columns = values.shape
    reach = len(weights) - 1
    padded = np.empty((size + 2 * reach, STRIP), np.float32)
    for block in range(outer):
        for start in range(0, columns, STRIP):
            width = min(STRIP, columns - start)
            for at in range(size + 2 * reach):
                source = _mirrored(at - reach, size)
                for column in range(width):
                    padded[at, column] = values[block, source, start + column]
            for at in range(size):
                into = values[block, at, start : start + width]
                middle = padded[at + reach]
                for column in range(width):
                    into[column] = middle[column] * weights[0]
                for distance in range(1, reach + 1):
                    before, after, weight = (
                        padded[at + reach - distance],
                        padded[at + reach + distance],
                        weights[distance],
                    )
                    for column in range(width):
                        into[column] += (before[column] + after[column]) * weight


@compiled
def _along_last(values: Floats, weights: Floats) -> None:
    rows, size = values.shape
    reach = len(weights) - 1
    padded = np.empty(size + 2 * reach, np.float32)
    for row in range(rows):
        into = values[row]
        for at in range(size + 2 * reach):
            padded[at] = into[_mirrored(at - reach, size)]
        for at in range(size):
            into[at] = padded[at + reach] * weights[0]
        for distance in range(1, reach + 1):
            weight = weights[distance]
            before, after = padded[reach - distance :], padded[reach + distance :]
            for at in range(size):
                into[at] += (before[at] + after[at]) * weight
