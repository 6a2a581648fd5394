"""Unpacks labels from crackle, and looks at all of its check sums, which also guard the loops from what is damaged."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.compressed_segmentation.memory import flatten
from teravox.kernels.crackle.checksums import Sums, crc32c, weigh
from teravox.kernels.crackle.drawn import draw_chains, read_starts
from teravox.kernels.crackle.header import Header, width_for
from teravox.kernels.crackle.regions import Numbers, close_numbers, number_regions, stride_of

Labels = NDArray[Any]  # of unsigned integers
Bytes = NDArray[np.uint8]
Shape = tuple[int, int, int]

SUM = 4  # bytes
STRIP = 16  # voxels that are written at once; it is quicker to write too many
_1 = np.uint64(1)


class Packed(NamedTuple):
    """Data whose lists have been looked at."""

    data: Bytes
    header: Header
    begins: NDArray[np.int64]  # of the chains of each plane, and where the last ones end
    regions: NDArray[np.int64]  # of all planes before each, and of all
    sums: Sums  # of each plane
    labels: Labels  # of each region


def look_into(data: bytes | bytearray, header: Header, dtype: np.dtype[Any]) -> Packed:
    """Data whose labels are to be unpacked as `dtype`; ValueError says what is wrong with their lists."""
    sx, sy, sz = header.size
    lists = header.length + SUM * (sz + 1)
    chains = lists + header.label_bytes
    if len(data) < lists:
        raise _other_length(data, chains + SUM * (sz + 1))
    lengths = np.frombuffer(data, "<u4", sz + 1, header.length)
    array = np.frombuffer(data, np.uint8)
    if crc32c(array[header.length : lists - SUM]) != lengths[-1]:
        raise ValueError("the check sum of its list of planes is wrong")
    begins = np.zeros(sz + 1, np.int64)
    np.cumsum(lengths[:-1], out=begins[1:])
    begins += chains
    if begins[-1] + SUM * (sz + 1) != len(data):
        raise _other_length(data, int(begins[-1]) + SUM * (sz + 1))
    sums = np.frombuffer(data, "<u4", sz + 1, int(begins[-1]))
    if crc32c(array[lists:chains]) != sums[0]:
        raise ValueError("the check sum of its labels is wrong")
    known = int.from_bytes(data[lists : lists + 8], "little")
    index, key = width_for(sx * sy), width_for(known)
    left = header.label_bytes - 8 - known * header.stored_itemsize - sz * index
    if left < 0 or left % key:
        raise ValueError("its labels do not fill their place")
    at = lists + 8
    labels = np.frombuffer(data, f"<u{header.stored_itemsize}", known, at)
    at += labels.nbytes
    regions = np.zeros(sz + 1, np.int64)
    np.cumsum(np.frombuffer(data, f"<u{index}", sz, at), out=regions[1:])
    keys = np.frombuffer(data, f"<u{key}", left // key, at + sz * index)
    if regions[-1] != len(keys) or int(keys.max(initial=0)) >= known:
        raise ValueError("its regions have labels that it does not list")
    return Packed(array, header, begins, regions, sums[1:], labels.astype(dtype)[keys])


def _other_length(data: bytes | bytearray, expected: int) -> ValueError:
    return ValueError(f"it has {len(data):,} bytes where {expected:,} are expected")


def unpack_labels(packed: Packed, out: Labels, *, modes: bool = False) -> None:
    """Fill an array of x, y and z; ValueError names the first plane that is not what was written.

    With `modes` it has a voxel for each 2 x 2 x 1 of the data: a label that two of these have, or else the last one's.
    """
    flat, row, plane = flatten(out)
    sx, sy, sz = packed.header.size
    whole = _unpack_planes(
        packed.data, packed.begins, packed.regions, packed.sums, (sx, sy), stride_of(sx),
        (width_for(sx + 1), width_for(sy + 1)), packed.header.joins, weigh(sx * sy),
        packed.labels, modes, flat, row, plane,
    )  # fmt: skip
    if whole < sz:
        raise ValueError(f"its plane {whole} is broken, or the check sum of that is")


@compiled
def _unpack_planes(
    data: Bytes,
    chains: NDArray[np.int64],
    regions: NDArray[np.int64],
    sums: Sums,
    size: tuple[int, int],
    stride: int,
    widths: tuple[int, int],
    joins: bool,
    weights: Sums,
    labels: Labels,
    modes: bool,
    flat: Labels,
    row: int,
    plane: int,
) -> int:
    """Fill plane by plane, each if it has its number of regions and its sum; how many have, until one has not."""
    sx, sy = size
    area = sx * sy
    held = np.empty(area + STRIP, labels.dtype)
    begins, numbers = np.empty(area + 1, np.uint32), np.empty(area, np.uint32)
    words = np.zeros((sy + 1) * stride // 8, np.uint64)
    marks = words.view(np.uint8)
    firsts, parents, factors = np.empty(area, np.uint32), np.empty(area, np.uint32), np.empty(area, np.uint32)
    starts, waiting = np.empty(len(marks), np.uint64), np.empty(2 * area, np.uint64)
    for z in range(len(sums)):
        words[:] = 0
        count, steps = read_starts(data, chains[z], chains[z + 1], size, stride, widths, starts)
        if count < 0 or not draw_chains(data, steps, chains[z + 1], starts, count, stride, marks, waiting):
            return z
        if joins:
            words ^= ~np.uint64(0)
        end, news = number_regions(words, sx, sy, weights, begins, numbers, firsts, parents, factors)
        found, crc = close_numbers(firsts, parents, factors, news, weights)
        if found != regions[z + 1] - regions[z] or crc != sums[z]:
            return z
        _draw_plane(begins, numbers, parents, labels[regions[z] :], end, held)
        there = flat[z * plane :]
        if modes:
            _take_modes(held, sx, sy, there, row)
        else:
            _copy(held, sx, sy, there, row)
    return len(sums)


@compiled
def _draw_plane(begins: Numbers, numbers: Numbers, parents: Numbers, labels: Labels, end: int, held: Labels) -> None:
    """Make the voxels of a plane of its runs. What is behind the plane may be overwritten."""
    place = np.uint64(0)
    for run in range(end):
        label, stop = labels[parents[numbers[run]]], np.uint64(begins[run + 1])
        while place < stop:
            for k in range(STRIP):
                held[place + np.uint64(k)] = label
            place += np.uint64(STRIP)
        place = stop


@compiled
def _copy(held: Labels, sx: int, sy: int, flat: Labels, row: int) -> None:
    for y in range(sy):
        here, there = np.uint64(y * sx), np.uint64(y * row)
        for x in range(sx):
            flat[there + np.uint64(x)] = held[here + np.uint64(x)]


@compiled
def _take_modes(held: Labels, sx: int, sy: int, flat: Labels, row: int) -> None:
    for y in range(sy // 2):
        here, there = np.uint64(2 * y * sx), np.uint64(y * row)
        below = here + np.uint64(sx)
        for x in range(sx // 2):
            two = np.uint64(2 * x)
            a, b = held[here + two], held[here + two + _1]
            c, d = held[below + two], held[below + two + _1]
            flat[there + np.uint64(x)] = a if a in (b, c) else b if b == c else d
