"""What compresso data begin with, and the words in them that are no labels; see https://github.com/seung-lab/compresso."""

from __future__ import annotations

import struct
from typing import NamedTuple

_STRUCT = struct.Struct("<4sBBHHHBBBQIQB")
SIZE = _STRUCT.size  # bytes of the header

TO_RIGHT, BELOW, SAID, LESS = (
    1,
    3,
    6,
    7,
)  # where an edge has its label from: a neighbour, the next word, or this one less 7


class Header(NamedTuple):
    """The beginning; then follow the ids of regions, the patterns of windows, the labels of edges, runs of windows, and a list of planes."""

    magic: bytes
    version: int
    data_width: int
    sx: int
    sy: int
    sz: int
    xstep: int
    ystep: int
    zstep: int
    ids: int
    values: int
    locations: int
    connectivity: int

    @property
    def window_width(self) -> int:
        """The bytes of a pattern."""
        voxels = self.xstep * self.ystep * self.zstep
        return next(width for width in (1, 2, 4, 8) if voxels <= 8 * width)

    def pack(self) -> bytes:
        return _STRUCT.pack(*self)


def read_header(data: bytes) -> Header:
    """The header of data that are at least as long as it; nothing in it has been checked."""
    return Header(*_STRUCT.unpack_from(data))
