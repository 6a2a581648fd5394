"""Unpacks labels from blocks, after a look whether the blocks are sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.compressed_segmentation.memory import Labels, Vec, Words, flatten

WRONG = (  # what `find_fault` says
    "",
    "it ends within its list of blocks",
    "a block has indices of a width that does not exist",
    "it ends within the indices of a block",
    "it ends within the labels of a block",
)
_NONE, _CUT_HEADERS, _BAD_WIDTH, _CUT_INDICES, _CUT_LABELS = range(len(WRONG))


def find_fault(words: Words, block: Vec, shape: Vec, wide: int) -> int:
    """Which of WRONG is the matter with the words of one channel, whose labels are `wide` words; 0 if nothing is.

    Only words without a fault may be unpacked.
    """
    return int(_find_fault(read_only(words), block, shape, wide))


def unpack_labels(words: Words, block: Vec, out: Labels) -> None:
    """Fill an array of x, y and z from the words of one channel."""
    flat, row, plane = flatten(out)
    _unpack(read_only(words), block, flat, row, plane, out.shape, out.dtype.type(0))


@compiled
def _find_fault(words: Words, block: Vec, shape: Vec, wide: int) -> int:
    """Goes by the blocks' headers; of those blocks whose labels could lie beyond the end, it looks at each index."""
    bx, by, bz = block
    blocks = ((shape[0] + bx - 1) // bx) * ((shape[1] + by - 1) // by) * ((shape[2] + bz - 1) // bz)
    if 2 * blocks > len(words):
        return _CUT_HEADERS
    for number in range(blocks):
        bits, begin, values = header_at(words, number)
        if bits > 32 or bits & (bits - 1):
            return _BAD_WIDTH
        length = (bits * bx * by * bz + 31) // 32
        if bits and values + length > len(words):
            return _CUT_INDICES
        room = (len(words) - begin) // wide
        if room < 1:
            return _CUT_LABELS
        if bits and room >> bits == 0:
            mask = np.uint32(0xFFFFFFFF) >> np.uint32(32 - bits)
            for k in range(bx * by * bz):
                bit = k * bits
                if np.int64((words[values + (bit >> 5)] >> np.uint32(bit & 31)) & mask) >= room:
                    return _CUT_LABELS
    return _NONE


@compiled
def _unpack(words: Words, block: Vec, flat: Labels, row: int, plane: int, shape: Vec, zero: Any) -> None:
    """Indices of up to 8 bits go by a table of the block's labels, and those of a row that lie in one word are read at once."""
    nx, ny, nz = shape
    bx, by, bz = block
    wide = flat.itemsize // 4
    table = np.empty(256, flat.dtype)
    number = 0
    for z0 in range(0, nz, bz):
        z1 = min(z0 + bz, nz)
        for y0 in range(0, ny, by):
            y1 = min(y0 + by, ny)
            for x0 in range(0, nx, bx):
                x1 = min(x0 + bx, nx)
                bits, begin, values = header_at(words, number)
                number += 1
                if bits == 0:
                    label = label_at(words, begin, wide, zero)
                    for z in range(z0, z1):
                        for y in range(y0, y1):
                            base = y * row + z * plane
                            for x in range(base + x0, base + x1):
                                flat[x] = label
                    continue
                mask = np.uint32(0xFFFFFFFF) >> np.uint32(32 - bits)
                if bits <= 8:
                    for k in range(
                        min((len(words) - begin) // wide, 1 << bits)
                    ):  # words without a fault have no other index
                        table[k] = label_at(words, begin + k * wide, wide, zero)
                row_bits = bits * bx
                in_one_word = bits <= 8 and row_bits <= 32 and 32 % row_bits == 0
                for z in range(z0, z1):
                    for y in range(y0, y1):
                        base = y * row + z * plane
                        bit = row_bits * ((y - y0) + by * (z - z0))
                        if in_one_word:
                            word = words[values + (bit >> 5)] >> np.uint32(bit & 31)
                            for x in range(base + x0, base + x1):
                                flat[x] = table[np.uint64(word & mask)]
                                word >>= np.uint32(bits)
                            continue
                        for x in range(base + x0, base + x1):
                            index = np.uint64((words[values + (bit >> 5)] >> np.uint32(bit & 31)) & mask)
                            bit += bits
                            flat[x] = (
                                table[index]
                                if bits <= 8
                                else label_at(words, begin + np.int64(index) * wide, wide, zero)
                            )


@compiled
def header_at(words: Words, number: int) -> tuple[Any, Any, Any]:  # int64
    """Of a block: the bits of an index, and where its labels and its indices begin."""
    first = words[2 * number]
    return np.int64(first >> np.uint32(24)), np.int64(first & np.uint32(0xFFFFFF)), np.int64(words[2 * number + 1])


@compiled
def label_at(words: Words, at: Any, wide: int, zero: Any) -> Any:
    label = zero | words[at]
    if wide == 2:
        label |= (zero | words[at + 1]) << (zero | np.uint32(32 * (wide - 1)))
    return label
