"""How a smoothed image bends at each voxel: what sheets and tubes are found by.

Second differences make the Hessian, in units of the smoothing's sigma along each axis, so that one number means the
same at every sigma and for voxels that are not cubes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Floats = NDArray[np.float32]  # z, y and x
Zyx = tuple[float, float, float]

REACH = 1  # voxels to either side

ALPHA_1, ALPHA_2 = 0.5, 2.0  # of Sato's line filter
ALPHA, BETA = 0.5, 0.5  # of Frangi's


def sheets(smoothed: Floats, sigmas: Zyx, *, dark: bool, slope: float) -> Floats:
    """How strongly a voxel lies in a dark (or bright) sheet: its largest curvature, less `slope` times its gradient.

    The edge of a large dark body bends as well, but is steep there; the middle of a sheet is not.
    """
    result = np.empty_like(smoothed)
    _fill_sheets(read_only(smoothed), _units(sigmas, dark=dark), np.float32(slope), result)
    return result


def tubes(smoothed: Floats, sigmas: Zyx, *, dark: bool, alpha1: float = ALPHA_1, alpha2: float = ALPHA_2) -> Floats:
    """How strongly a voxel lies in a bright (or dark) tube, by Sato's line filter (doi.org/10.1016/S1361-8415(98)80009-1).

    `alpha1` says how fast the response falls where the image bends the same way along the tube, as in a blob, and
    `alpha2` where it bends the other way.
    """
    result = np.empty_like(smoothed)
    _fill_tubes(read_only(smoothed), _units(sigmas, dark=dark), np.float32(alpha1), np.float32(alpha2), result)
    return result


def vessels(
    smoothed: Floats, sigmas: Zyx, *, dark: bool, gamma: float, alpha: float = ALPHA, beta: float = BETA
) -> Floats:
    """How like a bright (or dark) tube the surroundings of a voxel are, 0 to 1, by Frangi's filter (doi.org/10.1007/BFb0056195).

    A small `alpha` lets plates pass, a large `beta` blobs; a curvature of `gamma` counts for four tenths, and three
    times as much for nearly all.
    """
    result = np.empty_like(smoothed)
    weights = read_only(np.array([0.5 / alpha**2, 0.5 / beta**2, 0.5 / gamma**2], np.float32))
    _fill_vessels(read_only(smoothed), _units(sigmas, dark=dark), weights, result)
    return result


def _units(sigmas: Zyx, *, dark: bool) -> Floats:
    """By axis the sigma, and by pair of axes their product with the sign that makes what is looked for bend up."""
    z, y, x = sigmas
    sign = 1 if dark else -1
    products = (z * z, y * y, x * x, z * y, z * x, y * x)
    return read_only(np.array([z, y, x, *(sign * product for product in products)], np.float32))


@compiled
def _fill_sheets(values: Floats, units: Floats, slope: np.float32, result: Floats) -> None:
    planes, rows, columns = values.shape
    half = np.float32(0.5)
    for z in range(planes):
        below, above = max(z - 1, 0), min(z + 1, planes - 1)
        for y in range(rows):
            for x in range(columns):
                zz, yy, xx, zy, zx, yx = _hessian(values, z, y, x, units)
                largest = _eigenvalues(zz, yy, xx, zy, zx, yx)[0]
                if largest > 0 and slope > 0:
                    dz = (values[above, y, x] - values[below, y, x]) * half * units[0]
                    dy = (values[z, min(y + 1, rows - 1), x] - values[z, max(y - 1, 0), x]) * half * units[1]
                    dx = (values[z, y, min(x + 1, columns - 1)] - values[z, y, max(x - 1, 0)]) * half * units[2]
                    largest -= slope * math.sqrt(dz * dz + dy * dy + dx * dx)
                result[z, y, x] = max(largest, np.float32(0))


@compiled
def _fill_tubes(values: Floats, units: Floats, alpha1: np.float32, alpha2: np.float32, result: Floats) -> None:
    planes, rows, columns = values.shape
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                zz, yy, xx, zy, zx, yx = _hessian(values, z, y, x, units)
                _, across, along = _eigenvalues(zz, yy, xx, zy, zx, yx)
                if across <= 0:
                    result[z, y, x] = 0
                    continue
                bend = along / ((alpha1 if along >= 0 else alpha2) * across)
                result[z, y, x] = across * np.float32(math.exp(np.float32(-0.5) * bend * bend))


@compiled
def _fill_vessels(values: Floats, units: Floats, weights: Floats, result: Floats) -> None:
    planes, rows, columns = values.shape
    one = np.float32(1)
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                zz, yy, xx, zy, zx, yx = _hessian(values, z, y, x, units)
                strongest, across, along = _eigenvalues(zz, yy, xx, zy, zx, yx)
                if across <= 0 or -along > across:  # two of three must bend as a tube does, and the third one least
                    result[z, y, x] = 0
                    continue
                roundness = across / strongest
                blob = along * along / (across * strongest)
                size = strongest * strongest + across * across + along * along
                found = one - np.float32(math.exp(-weights[0] * roundness * roundness))
                found *= np.float32(math.exp(-weights[1] * blob))
                result[z, y, x] = found * (one - np.float32(math.exp(-weights[2] * size)))


@compiled
def _hessian(
    values: Floats, z: int, y: int, x: int, units: Floats
) -> tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32]:
    """The second differences, zz, yy, xx, zy, zx and yx; beyond the ends the last voxel goes on."""
    planes, rows, columns = values.shape
    below, above = max(z - 1, 0), min(z + 1, planes - 1)
    before, after = max(y - 1, 0), min(y + 1, rows - 1)
    left, right = max(x - 1, 0), min(x + 1, columns - 1)
    twice = values[z, y, x] + values[z, y, x]
    quarter = np.float32(0.25)
    zz = (values[below, y, x] + values[above, y, x] - twice) * units[3]
    yy = (values[z, before, x] + values[z, after, x] - twice) * units[4]
    xx = (values[z, y, left] + values[z, y, right] - twice) * units[5]
    zy = values[above, after, x] - values[above, before, x] - values[below, after, x] + values[below, before, x]
    zx = values[above, y, right] - values[above, y, left] - values[below, y, right] + values[below, y, left]
    yx = values[z, after, right] - values[z, after, left] - values[z, before, right] + values[z, before, left]
    return zz, yy, xx, zy * quarter * units[6], zx * quarter * units[7], yx * quarter * units[8]


@compiled
def _eigenvalues(
    zz: np.float32, yy: np.float32, xx: np.float32, zy: np.float32, zx: np.float32, yx: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """Those of a symmetric matrix of three rows, the largest first (https://doi.org/10.1145/355578.366316)."""
    third = np.float32(1 / 3)
    mean = (zz + yy + xx) * third
    zz, yy, xx = zz - mean, yy - mean, xx - mean
    beside = zy * zy + zx * zx + yx * yx
    spread = (zz * zz + yy * yy + xx * xx + beside + beside) * np.float32(1 / 6)
    if not spread > 0:
        return mean, mean, mean
    size = np.float32(math.sqrt(spread))
    half = zz * (yy * xx - yx * yx) - zy * (zy * xx - yx * zx) + zx * (zy * yx - yy * zx)
    cosine = min(max(half / (spread * size) * np.float32(0.5), np.float32(-1)), np.float32(1))
    angle = np.float32(math.acos(cosine)) * third
    largest = mean + size * np.float32(2) * np.float32(math.cos(angle))
    smallest = mean + size * np.float32(2) * np.float32(math.cos(angle + np.float32(2 * math.pi / 3)))
    return largest, mean * np.float32(3) - largest - smallest, smallest
