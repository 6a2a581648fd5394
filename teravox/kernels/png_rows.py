"""The rows of a PNG as differences to their neighbours, and back: https://www.w3.org/TR/png-3/#9Filters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Bytes = NDArray[np.uint8]


def filter_rows(picture: Bytes, step: int) -> Bytes:
    """Each row of bytes in the way that makes its differences smallest, behind a byte that names the way.

    `step` is how many bytes a voxel has.
    """
    rows = np.empty((picture.shape[0], picture.shape[1] + 1), np.uint8)
    _filter(np.ascontiguousarray(picture), step, rows)
    return rows


def restore_rows(rows: Bytes, step: int) -> Bytes:
    """The bytes that were filtered; ValueError where a row names no way."""
    picture = np.empty((rows.shape[0], rows.shape[1] - 1), np.uint8)
    if not _restore(rows, step, picture):
        raise ValueError("one of its rows is filtered in a way that does not exist")
    return picture


@compiled
def _filter(picture: Bytes, step: int, rows: Bytes) -> None:
    height, width = picture.shape
    ways = np.empty((5, width), np.uint8)
    none = np.zeros(width, np.uint8)
    for y in range(height):
        row = picture[y]
        up = picture[y - 1] if y else none
        sum0 = sum1 = sum2 = sum3 = sum4 = 0
        for x in range(width):
            here, b = np.int32(row[x]), np.int32(up[x])
            a = np.int32(row[x - step]) if x >= step else np.int32(0)
            c = np.int32(up[x - step]) if x >= step else np.int32(0)
            ways[0, x] = here
            ways[1, x] = here - a
            ways[2, x] = here - b
            ways[3, x] = here - ((a + b) >> 1)
            ways[4, x] = here - _nearest(a, b, c)
            sum0 += int(abs(np.int32(np.int8(ways[0, x]))))
            sum1 += int(abs(np.int32(np.int8(ways[1, x]))))
            sum2 += int(abs(np.int32(np.int8(ways[2, x]))))
            sum3 += int(abs(np.int32(np.int8(ways[3, x]))))
            sum4 += int(abs(np.int32(np.int8(ways[4, x]))))
        best, way = sum0, 0
        if sum1 < best:
            best, way = sum1, 1
        if sum2 < best:
            best, way = sum2, 2
        if sum3 < best:
            best, way = sum3, 3
        if sum4 < best:
            best, way = sum4, 4
        rows[y, 0] = way
        for x in range(width):
            rows[y, 1 + x] = ways[way, x]


@compiled
def _restore(rows: Bytes, step: int, picture: Bytes) -> bool:
    height, width = picture.shape
    none = np.zeros(width, np.uint8)
    for y in range(height):
        way = rows[y, 0]
        row = rows[y, 1:]
        up = picture[y - 1] if y else none
        out = picture[y]
        if way == 0:
            for x in range(width):
                out[x] = row[x]
        elif way == 1:
            for x in range(min(step, width)):
                out[x] = row[x]
            for x in range(step, width):
                out[x] = row[x] + out[x - step]
        elif way == 2:
            for x in range(width):
                out[x] = row[x] + up[x]
        elif way == 3:
            for x in range(min(step, width)):
                out[x] = row[x] + (up[x] >> 1)
            for x in range(step, width):
                out[x] = row[x] + ((np.int32(out[x - step]) + np.int32(up[x])) >> 1)
        elif way == 4:
            for x in range(min(step, width)):
                out[x] = row[x] + up[x]
            for x in range(step, width):
                out[x] = row[x] + _nearest(np.int32(out[x - step]), np.int32(up[x]), np.int32(up[x - step]))
        else:
            return False
    return True


@compiled
def _nearest(a: np.int32, b: np.int32, c: np.int32) -> np.int32:
    """Of the voxels to the left, above, and above to the left, the one that is nearest to a + b - c."""
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    if to_a <= to_b and to_a <= to_c:
        return a
    return b if to_b <= to_c else c
