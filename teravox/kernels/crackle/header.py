"""The first bytes of crackle data: which labels they hold, and how."""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

from teravox.kernels.crackle.checksums import crc8

_HEADER = struct.Struct("<4sBHIIIBQB")
_MAGIC, _VERSION = b"crkl", 1
_SUMMED = slice(5, _HEADER.size - 1)  # the bytes that the sum in the last one is of
_WHOLE_PLANES = 31  # the binary logarithm of the side of the squares that planes are cut into


class Header(NamedTuple):
    """What version 1 says of labels that are unsigned and listed region by region."""

    size: tuple[int, int, int]
    itemsize: int
    stored_itemsize: int  # of the labels in the list
    joins: bool  # cracks are drawn where two voxels are alike, not where they differ
    label_bytes: int

    @property
    def length(self) -> int:
        return _HEADER.size

    def pack(self) -> bytes:
        flags = _log2(self.itemsize) | _log2(self.stored_itemsize) << 2 | self.joins << 4 | _FORTRAN
        data = _HEADER.pack(_MAGIC, _VERSION, flags, *self.size, _WHOLE_PLANES, self.label_bytes, 0)
        return data[:-1] + bytes([crc8(data[_SUMMED])])

    @classmethod
    def unpack(cls, data: bytes | bytearray) -> Self | None:
        """None if it says anything else, or its sum is wrong; the order of memory that it wishes for is not kept."""
        if len(data) < _HEADER.size:
            return None
        magic, version, flags, sx, sy, sz, grid, label_bytes, crc = _HEADER.unpack_from(data)
        if (magic, version, grid) != (_MAGIC, _VERSION, _WHOLE_PLANES) or flags & ~_KNOWN or crc != crc8(data[_SUMMED]):
            return None
        return cls((sx, sy, sz), 1 << (flags & 3), 1 << (flags >> 2 & 3), bool(flags & _JOINS), label_bytes)


_JOINS, _FORTRAN, _UNSORTED, _REMAPPED = 1 << 4, 1 << 7, 1 << 13, 1 << 14
_KNOWN = 0b1111 | _JOINS | _FORTRAN | _UNSORTED | _REMAPPED


def _log2(width: int) -> int:
    return width.bit_length() - 1


def width_for(most: int) -> int:
    """The bytes of a number that may be so large."""
    return next(width for width in (1, 2, 4, 8) if most < 1 << 8 * width)
