"""Most frequent labels of cells of 2 x 2 x 1 voxels, taken from blocks as they are packed."""

from __future__ import annotations

from typing import Any

import numpy as np

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.compressed_segmentation.memory import Labels, Vec, Words, flatten
from teravox.kernels.compressed_segmentation.unpack import header_at, label_at


def can_take_modes(block: Vec, shape: Vec) -> bool:
    """Whether no cell lies in two blocks, or reaches beyond the labels."""
    return all(n % 2 == 0 for n in (*block[:2], *shape[:2]))


def unpack_modes(words: Words, block: Vec, out: Labels) -> None:
    """Fill an array of x, y and z, whose cells are those of the packed labels; of the four in a cell, `modes` says which.

    Only words without a fault may be unpacked.
    """
    flat, row, plane = flatten(out)
    shape = (2 * out.shape[0], 2 * out.shape[1], out.shape[2])
    _unpack_modes(read_only(words), block, flat, row, plane, shape, out.dtype.type(0))


@compiled
def _unpack_modes(words: Words, block: Vec, flat: Labels, row: int, plane: int, shape: Vec, zero: Any) -> None:
    """Of two rows that are packed alike, one is enough; most are."""
    nx, ny, nz = shape
    bx, by, bz = block
    wide = flat.itemsize // 4
    table = np.empty(16, flat.dtype)
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
                        for y in range(y0 // 2, y1 // 2):
                            base = y * row + z * plane
                            for x in range(base + x0 // 2, base + x1 // 2):
                                flat[x] = label
                    continue
                mask = np.uint32(0xFFFFFFFF) >> np.uint32(32 - bits)
                row_bits = bits * bx
                if bits > 4 or row_bits > 32 or 32 % row_bits:
                    for z in range(z0, z1):
                        for y in range(y0, y1, 2):
                            base = (y // 2) * row + z * plane
                            bit = row_bits * ((y - y0) + by * (z - z0))
                            for x in range(base + x0 // 2, base + x1 // 2):
                                a = label_at(words, begin + wide * _index(words, values, bit, mask), wide, zero)
                                b = label_at(words, begin + wide * _index(words, values, bit + bits, mask), wide, zero)
                                bit += row_bits
                                c = label_at(words, begin + wide * _index(words, values, bit, mask), wide, zero)
                                d = label_at(words, begin + wide * _index(words, values, bit + bits, mask), wide, zero)
                                bit += 2 * bits - row_bits
                                flat[x] = _mode(a, b, c, d)
                    continue
                for k in range(min((len(words) - begin) // wide, 1 << bits)):  # no other index is there
                    table[k] = label_at(words, begin + k * wide, wide, zero)
                row_mask = np.uint32(0xFFFFFFFF) >> np.uint32(32 - row_bits)
                step = np.uint32(2 * bits)
                for z in range(z0, z1):
                    bit = row_bits * by * (z - z0)
                    for y in range(y0 // 2, y1 // 2):
                        base = y * row + z * plane
                        one = (words[values + (bit >> 5)] >> np.uint32(bit & 31)) & row_mask
                        bit += row_bits
                        two = (words[values + (bit >> 5)] >> np.uint32(bit & 31)) & row_mask
                        bit += row_bits
                        if one == two:  # then the first of each two is as frequent as any
                            for x in range(base + x0 // 2, base + x1 // 2):
                                flat[x] = table[np.uint64(one & mask)]
                                one >>= step
                        elif bits == 1:
                            one = two ^ (
                                (one ^ two) & ~(one ^ (one >> np.uint32(1)))
                            )  # where the first two differ, the third decides
                            for x in range(base + x0 // 2, base + x1 // 2):
                                flat[x] = table[np.uint64(one & mask)]
                                one >>= step
                        else:
                            for x in range(base + x0 // 2, base + x1 // 2):
                                a, b = table[np.uint64(one & mask)], table[np.uint64((one >> np.uint32(bits)) & mask)]
                                c, d = table[np.uint64(two & mask)], table[np.uint64((two >> np.uint32(bits)) & mask)]
                                flat[x] = _mode(a, b, c, d)
                                one >>= step
                                two >>= step


@compiled
def _index(words: Words, values: np.int64, bit: np.int64, mask: Any) -> Any:
    return np.int64((words[values + (bit >> 5)] >> np.uint32(bit & 31)) & mask)


@compiled
def _mode(a: Any, b: Any, c: Any, d: Any) -> Any:
    """A label that two of a cell have, or else the last."""
    if a in (b, c):
        return a
    return b if b == c else d
