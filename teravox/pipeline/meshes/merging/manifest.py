"""The manifest of a mesh of several levels of detail, as Neuroglancer has it: where its fragments are, and how large."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

Triple = tuple[float, float, float]
Cell = tuple[int, int, int]

HEAD = struct.Struct("<6fI")  # shape of a cell of level 0, origin of the grid, number of levels


class Fragment(NamedTuple):
    """A cell of a level, and the bytes of what is in it; none where it is empty."""

    cell: Cell
    size: int


class Level(msgspec.Struct, frozen=True):
    """A level of detail. Its fragments lie in the data in their order here, which is Z-order, after those of finer levels."""

    scale: float  # of its details, in the units of the stored model
    fragments: tuple[Fragment, ...]
    vertex_offset: Triple = (0.0, 0.0, 0.0)

    @property
    def size(self) -> int:
        """The bytes of all its fragments."""
        return sum(fragment.size for fragment in self.fragments)


class Manifest(msgspec.Struct, frozen=True):
    """The levels of a mesh, the finest first. Cells of level l are 2^l times as large as `chunk_shape`.

    A vertex x of a fragment is at origin + vertex_offset + chunk_shape * 2^l * (cell + x / (2^bits - 1)), in the units of
    the stored model; the `transform` of the info of the meshes leads from there to nanometres.
    """

    chunk_shape: Triple
    grid_origin: Triple
    levels: tuple[Level, ...]

    @property
    def size(self) -> int:
        """The bytes of all fragments."""
        return sum(level.size for level in self.levels)

    def encode(self) -> bytes:
        """The bytes of the manifest; ValueError where a number cannot be written exactly."""
        import numpy as np

        for number in (*self.chunk_shape, *self.grid_origin):
            if float(np.float32(number)) != number:
                raise ValueError(f"{number} is not a number of 32 bits")
        parts = [HEAD.pack(*self.chunk_shape, *self.grid_origin, len(self.levels))]
        parts.append(np.array([level.scale for level in self.levels], "<f4").tobytes())
        parts.append(np.array([level.vertex_offset for level in self.levels], "<f4").tobytes())
        parts.append(np.array([len(level.fragments) for level in self.levels], "<u4").tobytes())
        for level in self.levels:
            rows = np.array([(*fragment.cell, fragment.size) for fragment in level.fragments], np.int64).reshape(-1, 4)
            if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < 1 << 32:
                raise ValueError("a cell or the size of a fragment does not fit into 32 bits")
            parts.append(np.ascontiguousarray(rows.T, "<u4").tobytes())
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """What a manifest says; ValueError says what is wrong with it."""
        import numpy as np

        if len(data) < HEAD.size:
            raise ValueError(f"it has {len(data)} bytes, which are no manifest")
        *numbers, count = HEAD.unpack_from(data)
        at = HEAD.size + 20 * count
        if len(data) < at:
            raise ValueError(f"it has {len(data):,} bytes, which do not fit to its {count:,} levels")
        scales = np.frombuffer(data, "<f4", count, HEAD.size)
        offsets = np.frombuffer(data, "<f4", 3 * count, HEAD.size + 4 * count).reshape(-1, 3)
        lengths = np.frombuffer(data, "<u4", count, HEAD.size + 16 * count).tolist()
        if len(data) != at + 16 * sum(lengths):
            raise ValueError(f"it has {len(data):,} bytes, which do not fit to its {sum(lengths):,} fragments")
        levels = []
        for scale, offset, length in zip(scales.tolist(), offsets.tolist(), lengths, strict=True):
            rows = np.frombuffer(data, "<u4", 4 * length, at).reshape(4, -1).T.tolist()
            fragments = tuple(Fragment((x, y, z), size) for x, y, z, size in rows)
            levels.append(Level(scale, fragments, tuple(offset)))
            at += 16 * length
        return cls(tuple(numbers[:3]), tuple(numbers[3:]), tuple(levels))


def z_order(cells: Sequence[Cell]) -> list[Cell]:
    """Cells in Z-order: by the bits of their coordinates taken in turn, those of z before those of y and x."""
    return sorted(cells, key=z_code)


def z_code(cell: Cell) -> int:
    """The place of a cell in Z-order."""
    code = 0
    for bit in range(max(cell).bit_length()):
        for axis in range(3):
            code |= (cell[axis] >> bit & 1) << (3 * bit + axis)
    return code
