"""Eigenvalues of symmetric matrices, a strip of voxels at a time and without branches, so that machines do many at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.learning.rows import STRIP, write

Floats = NDArray[np.float32]

ZZ, YY, XX, ZY, ZX, YX = range(6)  # which strip each element is in
STRIPS = 9  # with those of the eigenvalues, the largest first
_LARGEST, _MIDDLE, _SMALLEST = 6, 7, 8
_TINY = 1e-300


@compiled
def write_eigenvalues(
    strips: Floats, into: Floats, column: int, z: int, y: int, start: int, size: int, flat: bool
) -> None:
    """Those of the matrices in the strips, or of their y and x alone, to columns of the features."""
    if flat:
        _fill_two(strips.reshape(-1), size)
    else:
        _fill_three(strips.reshape(-1), size)
    for number in range(2 if flat else 3):
        write(into, column + number, z, y, start, strips, _LARGEST + number, size)


@compiled
def _fill_three(strips: Floats, size: int) -> None:
    """Roots of the characteristic polynomial, by its angle (https://doi.org/10.1145/355578.366316).

    That takes double precision: where two are nearly equal, half of the digits are lost.
    """
    for at in range(size):
        zz, yy, xx = np.float64(strips[at]), np.float64(strips[STRIP + at]), np.float64(strips[2 * STRIP + at])
        zy, zx = np.float64(strips[3 * STRIP + at]), np.float64(strips[4 * STRIP + at])
        yx = np.float64(strips[5 * STRIP + at])
        mean = (zz + yy + xx) * (1 / 3)
        zz, yy, xx = zz - mean, yy - mean, xx - mean
        squared = (zz * zz + yy * yy + xx * xx) * (1 / 6) + (zy * zy + zx * zx + yx * yx) * (1 / 3)
        spread = math.sqrt(squared)
        half = 0.5 * (zz * (yy * xx - yx * yx) - zy * (zy * xx - yx * zx) + zx * (zy * yx - yy * zx))
        cosine = max(min(float(half / max(squared * spread, _TINY)), 1.0), -1.0)
        largest = mean + 2.0 * spread * _two_thirds(math.sqrt(0.5 + 0.5 * cosine))
        smallest = mean - 2.0 * spread * _two_thirds(math.sqrt(0.5 - 0.5 * cosine))
        middle = max(min(3.0 * mean - largest - smallest, largest), smallest)
        strips[_LARGEST * STRIP + at] = np.float32(largest)
        strips[_MIDDLE * STRIP + at] = np.float32(middle)
        strips[_SMALLEST * STRIP + at] = np.float32(smallest)


@compiled
def _fill_two(strips: Floats, size: int) -> None:
    half = np.float32(0.5)
    for at in range(size):
        yy, xx, yx = strips[STRIP + at], strips[2 * STRIP + at], strips[5 * STRIP + at]
        mean, apart = (yy + xx) * half, (yy - xx) * half
        root = np.float32(math.sqrt(apart * apart + yx * yx))
        strips[_LARGEST * STRIP + at] = mean + root
        strips[_MIDDLE * STRIP + at] = mean - root


@compiled
def _two_thirds(cosine: float) -> float:
    """The cosine of two thirds of the angle that has this one, from 0 to 1: interpolated at Chebyshev's nodes, to 4e-9."""
    result = -0.0006260453394989179 * cosine + 0.003654119632233793
    result = result * cosine - 0.010237508432464154
    result = result * cosine + 0.01960032102518762
    result = result * cosine - 0.031925412185213546
    result = result * cosine + 0.05327935086024303
    result = result * cosine - 0.11109449276880777
    result = result * cosine + 0.5773496613984853
    return result * cosine + 0.5000000037331834
