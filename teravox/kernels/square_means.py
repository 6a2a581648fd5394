"""Means of squares of 8-bit voxels, 2, 4, 8 and 16 wide, from sums that are carried along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Bytes = NDArray[np.uint8]
Sums = NDArray[np.uint16]


def square_means(planes: Bytes, mips: int) -> list[Bytes]:
    """The means of ever larger squares of contiguous planes, of at most 16 x 16 voxels; halves become the even number.

    Squares at the last rows and columns are the means of what is there.
    """
    count, height, width = planes.shape
    sums = np.empty((count, -(-height // 2), -(-width // 2)), np.uint16)
    means = []
    for mip in range(1, mips + 1):
        means.append(np.empty((count, -(-height >> mip), -(-width >> mip)), np.uint8))
        if mip == 1:
            _sum_voxels(read_only(planes), sums)
        else:
            _sum_sums(sums, *means[-2].shape[1:])
        _divide(sums, mip, height, width, means[-1])
    return means


@compiled
def _sum_voxels(planes: Bytes, sums: Sums) -> None:
    for z in range(planes.shape[0]):
        _sum_squares(planes[z], sums[z])


@compiled
def _sum_sums(sums: Sums, height: int, width: int) -> None:
    """Put the sums of 2 x 2 of so many sums into the corner of where these were."""
    for z in range(sums.shape[0]):
        _sum_squares(sums[z, :height, :width], sums[z])


@compiled
def _sum_squares(plane: Bytes | Sums, sums: Sums) -> None:
    height, width = plane.shape
    for y in range(height // 2):
        upper, lower, out = plane[2 * y], plane[2 * y + 1], sums[y]
        for x in range(width // 2):
            left = np.uint16(upper[2 * x]) + np.uint16(lower[2 * x])
            out[x] = left + np.uint16(upper[2 * x + 1]) + np.uint16(lower[2 * x + 1])
        if width % 2:
            out[width // 2] = np.uint16(upper[width - 1]) + np.uint16(lower[width - 1])
    if height % 2:
        row, out = plane[height - 1], sums[height // 2]
        for x in range(width // 2):
            out[x] = np.uint16(row[2 * x]) + np.uint16(row[2 * x + 1])
        if width % 2:
            out[width // 2] = row[width - 1]


@compiled
def _divide(sums: Sums, mip: int, height: int, width: int, means: Bytes) -> None:
    """By how many voxels of a plane each square has."""
    side = 1 << mip
    below_half = (1 << (2 * mip - 1)) - 1
    for z in range(means.shape[0]):
        for y in range(means.shape[1]):
            rows = min(side, height - y * side)
            whole = width // side if rows == side else 0
            row, out = sums[z, y], means[z, y]
            for x in range(whole):
                out[x] = (np.uint32(row[x]) + below_half + ((row[x] >> (2 * mip)) & 1)) >> (2 * mip)
            for x in range(whole, means.shape[2]):
                count = rows * min(side, width - x * side)
                quotient, rest = row[x] // count, row[x] % count
                out[x] = quotient + (2 * rest > count or (2 * rest == count and quotient & 1))
