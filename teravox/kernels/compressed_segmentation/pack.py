"""Packs labels into blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.compressed_segmentation.memory import Labels, Vec, Words, flatten

_MOST_PLACE = 1 << 24  # a table must begin before this word
_FEW = 8  # labels that are told apart one by one
_UNTOLD = np.uint32(0xFFFFFFFF)


def pack_labels(labels: Labels, block: Vec) -> Words:
    """The words of one channel of x, y and z. OverflowError where they are too many for the format."""
    flat, row, plane = flatten(labels)
    blocks = int(np.prod([-(-n // b) for n, b in zip(labels.shape, block, strict=True)]))
    voxels = int(np.prod(block))
    room = 2 * blocks + labels.nbytes // 16
    most = 2 * blocks + blocks * (voxels + voxels * labels.itemsize // 4)
    while True:
        words = np.empty(min(room, most), np.uint32)
        used = _pack(read_only(flat), row, plane, labels.shape, block, words, labels.dtype.type(0))
        if used > 0:
            return words[:used]
        if used < 0:
            raise OverflowError("its tables of labels do not fit into 24 bits")
        room *= 8


@compiled
def _pack(flat: Labels, row: int, plane: int, shape: Vec, block: Vec, words: Words, zero: Any) -> int:
    """The number of words that were written; 0 if there is no room for them, -1 if there never can be."""
    nx, ny, nz = shape
    bx, by, bz = block
    gx, gy, gz = (nx + bx - 1) // bx, (ny + by - 1) // by, (nz + bz - 1) // bz
    voxels = bx * by * bz
    wide = flat.itemsize // 4
    at = 2 * gx * gy * gz
    if at > len(words):
        return 0

    cell = np.empty(voxels, flat.dtype)  # the voxels of one block
    indices = np.empty(voxels, np.uint32)  # their labels, as places in the table
    table = np.empty(voxels, flat.dtype)  # the labels of one block
    rank = np.empty(voxels, np.uint32)
    places = 16
    while places < 2 * voxels:
        places *= 2
    slot_stamp = np.zeros(places, np.int64)
    slot_index = np.empty(places, np.uint32)

    homes = 16  # slots in which earlier tables are looked up
    while homes < 2 * gx * gy * gz:
        homes *= 2
    home_count = np.zeros(homes, np.int64)
    home_at = np.empty(homes, np.int64)

    number = 0
    for z0 in range(0, nz, bz):
        z1 = min(z0 + bz, nz)
        for y0 in range(0, ny, by):
            y1 = min(y0 + by, ny)
            for x0 in range(0, nx, bx):
                size = (min(x0 + bx, nx) - x0, y1 - y0, z1 - z0)
                begin = x0 + y0 * row + z0 * plane
                table[0] = flat[begin]
                count = 1
                bits = 0
                if not _is_uniform(flat, begin, row, plane, size, zero):
                    filled = _copy(flat, begin, row, plane, size, cell)
                    count = _tell_few(cell[:filled], indices, table)
                    if not count:
                        count = _tell_many(cell[:filled], indices, table, slot_stamp, slot_index, number + 1)
                    bits = 1
                    while (1 << bits) < count:
                        bits *= 2
                    _sort(table, rank, count)

                length = (bits * voxels + 31) // 32
                if at + length + count * wide > len(words):
                    return 0
                values = at
                if bits and filled == voxels:
                    _put_all(indices, rank, bits, words[at : at + length])
                elif bits:
                    _put_some(indices, rank, bits, (bx, by), size, words[at : at + length])
                at += length

                home = np.uint64(count)
                for k in range(count):
                    home = _mix(np.uint64(table[k]) ^ home)
                place = home & (homes - 1)
                while home_count[place] and not (
                    home_count[place] == count and _has_table(words, home_at[place], table, count, wide)
                ):
                    place = (place + 1) & (homes - 1)
                if not home_count[place]:
                    home_count[place] = count
                    home_at[place] = at
                    for k in range(count):
                        words[at] = np.uint32(np.uint64(table[k]) & np.uint64(0xFFFFFFFF))
                        if wide == 2:
                            words[at + 1] = np.uint32(np.uint64(table[k]) >> np.uint64(32))
                        at += wide
                if home_at[place] >= _MOST_PLACE:
                    return -1
                words[2 * number] = home_at[place] | (bits << 24)
                words[2 * number + 1] = values
                number += 1
    return at


@compiled
def _is_uniform(flat: Labels, begin: int, row: int, plane: int, size: Vec, zero: Any) -> bool:
    label = flat[begin]
    for z in range(size[2]):
        other = zero
        for y in range(size[1]):
            first = begin + y * row + z * plane
            for x in range(first, first + size[0]):
                other |= flat[x] ^ label
        if other != zero:
            return False
    return True


@compiled
def _copy(flat: Labels, begin: int, row: int, plane: int, size: Vec, cell: Labels) -> int:
    at = 0
    for z in range(size[2]):
        for y in range(size[1]):
            first = begin + y * row + z * plane
            for x in range(size[0]):
                cell[at + x] = flat[first + x]
            at += size[0]
    return at


@compiled
def _tell_few(cell: Labels, indices: Words, table: Labels) -> int:
    """The number of different labels in a block, and what each voxel has of them; 0 if there are more than a few.

    Label by label it compares all voxels, which takes no branches.
    """
    for k in range(len(cell)):
        indices[k] = _UNTOLD
    at = count = 0
    while at < len(cell):
        if indices[at] != _UNTOLD:
            at += 1
            continue
        if count == _FEW:
            return 0
        label = cell[at]
        index = np.uint32(count)
        for k in range(len(cell)):
            indices[k] = index if cell[k] == label else indices[k]
        table[count] = label
        count += 1
    return count


@compiled
def _tell_many(
    cell: Labels, indices: Words, table: Labels, slot_stamp: NDArray[np.int64], slot_index: Words, stamp: int
) -> int:
    """The same for any number of labels, by slots in which they are looked up; those of other blocks have other stamps."""
    count = 0
    most = len(slot_stamp) - 1
    for k in range(len(cell)):
        label = cell[k]
        slot = _mix(label) & most
        while slot_stamp[slot] == stamp and table[slot_index[slot]] != label:
            slot = (slot + 1) & most
        if slot_stamp[slot] != stamp:
            slot_stamp[slot] = stamp
            slot_index[slot] = count
            table[count] = label
            count += 1
        indices[k] = slot_index[slot]
    return count


@compiled
def _mix(label: Any) -> Any:
    """A number that spreads labels over slots."""
    mixed = np.uint64(label) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(29))


@compiled
def _sort(table: Labels, rank: Words, count: int) -> None:
    """Put labels in order, so that blocks of the same labels have the same table; `rank` says where each has gone."""
    if count <= 32:
        order = np.empty(count, np.int64)
        for k in range(count):
            label = table[k]
            j = k
            while j > 0 and table[j - 1] > label:
                table[j] = table[j - 1]
                order[j] = order[j - 1]
                j -= 1
            table[j] = label
            order[j] = k
    else:
        order = np.argsort(table[:count])
        table[:count] = table[:count][order]
    for k in range(count):
        rank[order[k]] = k


@compiled
def _put_all(indices: Words, rank: Words, bits: int, words: Words) -> None:
    """Pack the indices of a block that is whole."""
    each = 32 // bits
    whole = len(indices) // each
    if bits == 1:
        flip = np.uint32(0) - rank[0]
        for word in range(whole):
            packed = np.uint32(0)
            for k in range(32):
                packed |= indices[32 * word + k] << np.uint32(k)
            words[word] = packed ^ flip
    else:
        for word in range(whole):
            packed = np.uint32(0)
            for k in range(each):
                packed |= rank[indices[each * word + k]] << np.uint32(k * bits)
            words[word] = packed
    if whole < len(words):
        packed = np.uint32(0)
        for k in range(each * whole, len(indices)):
            packed |= rank[indices[k]] << np.uint32((k - each * whole) * bits)
        words[whole] = packed


@compiled
def _put_some(indices: Words, rank: Words, bits: int, step: tuple[int, int], size: Vec, words: Words) -> None:
    """Pack the indices of a block that reaches beyond the array; the rest of it is padded with the first label."""
    words[:] = 0
    bx, by = step
    at = 0
    for z in range(size[2]):
        for y in range(size[1]):
            put = bx * (y + by * z)
            for x in range(size[0]):
                bit = (put + x) * bits
                words[bit >> 5] |= np.uint32(rank[indices[at]] << np.uint32(bit & 31))
                at += 1


@compiled
def _has_table(words: Words, at: int, table: Labels, count: int, wide: int) -> bool:
    for k in range(count):
        if words[at + k * wide] != np.uint32(np.uint64(table[k]) & np.uint64(0xFFFFFFFF)):
            return False
        if wide == 2 and words[at + k * wide + 1] != np.uint32(np.uint64(table[k]) >> np.uint64(32)):
            return False
    return True
