"""Draws the chains of a plane again: marks where its cracks are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.crackle.chains import LENGTH
from teravox.kernels.crackle.outlines import LEFT, NOTHING, UP
from teravox.kernels.crackle.regions import DOWN_FROM

Bytes = NDArray[np.uint8]
Corners = NDArray[np.uint64]


@compiled
def read_starts(
    data: Bytes, begin: int, end: int, size: tuple[int, int], stride: int, widths: tuple[int, int], starts: Corners
) -> tuple[int, int]:
    """The corners where chains start; how many there are, and where their steps begin, or -1 if these bytes cannot be so."""
    sx, sy = size
    width_x, width_y = widths
    if begin + LENGTH > end:
        return -1, -1
    at = begin + LENGTH
    stop = at + _read(data, begin, LENGTH)
    if stop > end or at + width_y > stop:
        return -1, -1
    rows = _read(data, at, width_y)
    at += width_y
    chains = y = 0
    for _ in range(rows):
        if at + width_y + width_x > stop:
            return -1, -1
        y += _read(data, at, width_y)
        number = _read(data, at + width_y, width_x)
        at += width_y + width_x
        if y > sy or at + number * width_x > stop or chains + number > len(starts):
            return -1, -1
        x = 0
        for _ in range(number):
            x += _read(data, at, width_x)
            at += width_x
            if x > sx:
                return -1, -1
            starts[chains] = y * stride + x
            chains += 1
    return chains, stop


@compiled
def _read(data: Bytes, at: int, width: int) -> int:
    number = np.int64(0)
    for byte in range(width):
        number |= np.int64(data[at + byte]) << (8 * byte)
    return number  # type: ignore[return-value]  # numba makes an int of it


@compiled
def draw_chains(
    data: Bytes, begin: int, end: int, starts: Corners, chains: int, stride: int, marks: Bytes, waiting: Corners
) -> bool:
    """Mark the cracks of a plane, where none are marked yet; whether its chains are all there and stay within the plane.

    A move counts when the next one is known: back again would make a word of both.
    """
    reach = np.empty(4, np.uint64)  # upwards and to the left, numbers begin again
    reach[0], reach[1], reach[2], reach[3] = -stride, 1, stride, -1
    crack = np.empty(4, np.uint64)  # from where a move starts to the corner that bears its mark
    crack[0], crack[1], crack[2], crack[3] = -stride, 0, 0, -1
    corners = np.uint64(len(marks))
    if chains == 0:
        return True
    chain = depth = 0
    corner = starts[0]
    held = np.uint64(NOTHING)
    before = np.uint64(0)
    three, two = np.uint64(3), np.uint64(2)
    for at in range(begin, end):
        byte = np.uint64(data[at])
        for _ in range(4):
            move = (byte + before) & three
            byte >>= two
            before = move
            if move ^ held != two:
                if held < NOTHING:
                    place = corner + crack[held]
                    corner += reach[held]
                    if place >= corners or corner >= corners:
                        return False
                    marks[place] |= np.uint8(DOWN_FROM << (held & np.uint64(1)))
                held = move
                continue
            held = np.uint64(NOTHING)
            if move == np.uint64(UP) or move == np.uint64(LEFT):  # the chain ends here
                if depth:
                    depth -= 1
                    corner = waiting[depth]
                    continue
                chain += 1
                if chain == chains:
                    return True
                corner = starts[chain]
            else:
                if depth == len(waiting):
                    return False
                waiting[depth] = corner
                depth += 1
    return False
