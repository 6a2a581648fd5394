"""The bytes of a PNG from rows of differences: https://www.w3.org/TR/png-3/#9Filters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.png.filters import ABOVE, LEFT, MEAN, NEAREST, NONE, mean_of, nearest_of

Bytes = NDArray[np.uint8]

_ROWS = 32  # that are restored side by side: as many bytes as a processor takes at a time
_ENOUGH = 2 * _ROWS  # for which it pays, and takes less memory than the picture
_SLOTS = _ROWS + 1  # of a step: a byte of each, behind one of the row above them


def restore_rows(rows: Bytes, step: int) -> Bytes:
    """The bytes that were filtered; ValueError where a row names no way. `step` is how many bytes a voxel has."""
    if rows.shape[0] and rows[:, 0].max() > NEAREST:
        raise ValueError("one of its rows is filtered in a way that does not exist")
    picture = np.empty((rows.shape[0], rows.shape[1] - 1), np.uint8)
    if step == 1 and rows.shape[0] >= _ENOUGH:
        _restore_side_by_side(read_only(rows), picture)
    else:
        _restore(read_only(rows), step, picture)
    return picture


@compiled
def _restore_side_by_side(rows: Bytes, picture: Bytes) -> None:
    """Rows of voxels of one byte, many at a time: each row is a voxel behind the one above it, whose voxels it needs.

    In step x + n + 2, slot n + 1 is that of voxel x of row n. What lies before the first voxel is and stays 0, since
    nothing but that is added to it.
    """
    height, width = picture.shape
    slots = np.zeros((width + _ROWS + 2) * _SLOTS, np.uint8)
    masks = np.empty((4, _ROWS), np.uint8)
    for top in range(0, height, _ROWS):
        part, ways, out = rows[top : top + _ROWS, 1:], rows[top : top + _ROWS, 0], picture[top : top + _ROWS]
        count = ways.size
        masks[:] = 0
        for n in range(count):
            if ways[n]:
                masks[ways[n] - 1, n] = 255
        if top:
            above = picture[top - 1]
            for x in range(width):
                slots[(x + 1) * _SLOTS] = above[x]
        # Eight columns at a time are fastest, and places that cannot be negative, as they need no look whether they are.
        whole = width // 8 * 8
        for x in range(0, whole, 8):
            for n in range(count):
                at = np.uint64((x + n + 2) * _SLOTS + n + 1)
                for k in range(8):
                    slots[at + np.uint64(k * _SLOTS)] = part[n, x + k]
        for x in range(whole, width):
            for n in range(count):
                slots[(x + n + 2) * _SLOTS + n + 1] = part[n, x]
        _walk(slots, masks, width + count)
        for x in range(0, whole, 8):
            for n in range(count):
                at = np.uint64((x + n + 2) * _SLOTS + n + 1)
                for k in range(8):
                    out[n, x + k] = slots[at + np.uint64(k * _SLOTS)]
        for x in range(whole, width):
            for n in range(count):
                out[n, x] = slots[(x + n + 2) * _SLOTS + n + 1]


@compiled
def _walk(slots: Bytes, masks: Bytes, steps: int) -> None:
    """Restore one voxel of each row, step after step."""
    left, above, mean, nearest = masks[0], masks[1], masks[2], masks[3]
    for at in range(2 * _SLOTS, (steps + 1) * _SLOTS, _SLOTS):
        now = slots[at + 1 : at + _SLOTS]
        a_row = slots[at - _SLOTS + 1 : at]
        b_row = slots[at - _SLOTS : at - 1]
        c_row = slots[at - 2 * _SLOTS : at - _SLOTS - 1]
        for n in range(_ROWS):
            a, b, c = a_row[n], b_row[n], c_row[n]
            add = a & left[n] | b & above[n] | mean_of(a, b) & mean[n] | nearest_of(a, b, c) & nearest[n]
            now[n] = np.uint8(now[n] + add)


@compiled
def _restore(rows: Bytes, step: int, picture: Bytes) -> None:
    """Rows of voxels of any number of bytes, one after the other."""
    height, width = picture.shape
    none = np.zeros(width, np.uint8)
    for y in range(height):
        way = rows[y, 0]
        row = rows[y, 1:]
        up = picture[y - 1] if y else none
        out = picture[y]
        first = min(step, width)
        if way == NONE:
            for x in range(width):
                out[x] = row[x]
        elif way == LEFT:
            for x in range(first):
                out[x] = row[x]
            for x in range(step, width):
                out[x] = row[x] + out[x - step]
        elif way == ABOVE:
            for x in range(width):
                out[x] = row[x] + up[x]
        elif way == MEAN:
            for x in range(first):
                out[x] = row[x] + (up[x] >> 1)
            for x in range(step, width):
                out[x] = row[x] + mean_of(out[x - step], up[x])
        else:
            for x in range(first):
                out[x] = row[x] + up[x]
            for x in range(step, width):
                out[x] = row[x] + nearest_of(out[x - step], up[x], up[x - step])
