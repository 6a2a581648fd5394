"""The rows of a PNG as differences to their neighbours: https://www.w3.org/TR/png-3/#9Filters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Bytes = NDArray[np.uint8]

NONE, LEFT, ABOVE, MEAN, NEAREST = range(5)  # the ways, by what is taken away
_ADDED = 256  # differences, of up to 128


def filter_rows(picture: Bytes, step: int) -> Bytes:
    """Each row of bytes in the way that makes its differences smallest, behind a byte that names the way.

    `step` is how many bytes a voxel has.
    """
    height, width = picture.shape
    rows = np.empty((height, 1 + width), np.uint8)
    framed = np.zeros((1 + height, step + width), np.uint8)  # with voxels of 0 above and to the left
    framed[1:, step:] = picture
    _filter(framed, step, rows)
    return rows


@compiled
def _filter(framed: Bytes, step: int, rows: Bytes) -> None:
    height, width = rows.shape[0], rows.shape[1] - 1
    ways = np.empty((5, width), np.uint8)
    for y in range(height):
        row, a = framed[y + 1, step:], framed[y + 1, :width]
        b, c = framed[y, step:], framed[y, :width]
        none, left, above, mean, nearest = ways[NONE], ways[LEFT], ways[ABOVE], ways[MEAN], ways[NEAREST]
        for x in range(width):
            none[x] = row[x]
            left[x] = row[x] - a[x]
            above[x] = row[x] - b[x]
            mean[x] = row[x] - mean_of(a[x], b[x])
            nearest[x] = row[x] - nearest_of(a[x], b[x], c[x])
        best, least = NONE, _size_of(none)
        for way in range(1, 5):
            size = _size_of(ways[way])
            if size < least:
                best, least = way, size
        rows[y, 0] = best
        out, differences = rows[y, 1:], ways[best]
        for x in range(width):
            out[x] = differences[x]


@compiled
def _size_of(differences: Bytes) -> int:
    """Their sum, each taken as a number from -128 to 127 without its sign; in 16 bits as far as these last, for speed."""
    total = 0
    for start in range(0, differences.size, _ADDED):
        part = differences[start : start + _ADDED]
        size = np.uint16(0)
        for x in range(part.size):
            size = np.uint16(size + np.uint16(min(part[x], np.uint8(-part[x]))))
        total += int(size)
    return total


# In eight bits throughout, so that a processor can do as many at a time as it has room for.


@compiled
def mean_of(a: np.uint8, b: np.uint8) -> np.uint8:
    return np.uint8((a & b) + ((a ^ b) >> 1))


@compiled
def nearest_of(a: np.uint8, b: np.uint8, c: np.uint8) -> np.uint8:
    """Of the voxels to the left, above, and above to the left, the one that is nearest to a + b - c; the first of these where two are.

    Of the lower one of a and b, a + b - c is as far away as c is below the higher one, and the other way round.
    """
    low, high = min(a, b), max(a, b)
    to_low, to_high = np.uint8(max(high, c) - c), np.uint8(max(low, c) - low)
    near = high if np.uint8(max(to_low, to_high) - to_high) >= to_high else c
    return low if np.uint8(max(to_low, to_high) - to_low) >= to_low else near
