"""A half-open box of voxels, and the grid that cuts one into boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import overload

import msgspec

Vec = tuple[int, int, int]


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The voxels from `min` up to, and without, `max`, in x, y, z."""

    min: Vec
    max: Vec

    def __str__(self) -> str:
        return ",".join(map(str, self.min)) + ":" + ",".join(map(str, self.max))

    @property
    def size(self) -> Vec:
        return (self.max[0] - self.min[0], self.max[1] - self.min[1], self.max[2] - self.min[2])

    @property
    def voxels(self) -> int:
        return math.prod(max(0, n) for n in self.size)

    @property
    def is_empty(self) -> bool:
        return self.voxels == 0

    def intersect(self, other: Box) -> Box:
        """What both boxes share; empty boxes may come out with max below min."""
        a, b = self.min, other.min
        c, d = self.max, other.max
        return Box(
            (max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])),
            (min(c[0], d[0]), min(c[1], d[1]), min(c[2], d[2])),
        )

    def middle(self, most: Vec) -> Box:
        """The box of at most so many voxels on each axis that lies in the middle of this one."""
        x, y, z = (min(n, size) for n, size in zip(most, self.size, strict=True))
        a, size = self.min, self.size
        low = (a[0] + (size[0] - x) // 2, a[1] + (size[1] - y) // 2, a[2] + (size[2] - z) // 2)
        return Box(low, (low[0] + x, low[1] + y, low[2] + z))

    def shift(self, by: Vec) -> Box:
        a, b = self.min, self.max
        return Box(
            (a[0] + by[0], a[1] + by[1], a[2] + by[2]),
            (b[0] + by[0], b[1] + by[1], b[2] + by[2]),
        )


class Grid(Sequence[Box]):
    """The boxes of `shape` that tile `bounds` from its lower corner, x fastest; lazy, and of any size.

    Boxes at the upper faces are cut off at the bounds.
    """

    def __init__(self, bounds: Box, shape: Vec) -> None:
        if min(shape) <= 0:
            raise ValueError(f"a grid needs a positive shape, got {shape}")
        self.bounds = bounds
        self.shape = shape
        x, y, z = (max(0, -(-n // s)) for n, s in zip(bounds.size, shape, strict=True))
        self.cells: Vec = (x, y, z)

    def __len__(self) -> int:
        return math.prod(self.cells)

    @overload
    def __getitem__(self, index: int) -> Box: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Box]: ...
    def __getitem__(self, index: int | slice) -> Box | Sequence[Box]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.box(self.cell(index))

    def __iter__(self) -> Iterator[Box]:
        return (self[i] for i in range(len(self)))

    def cell(self, index: int) -> Vec:
        """The place of a box in the grid."""
        yz, x = divmod(index, self.cells[0])
        z, y = divmod(yz, self.cells[1])
        return (x, y, z)

    def box(self, cell: Vec) -> Box:
        """The box at a place of the grid."""
        low = self.bounds.min
        start = (
            low[0] + cell[0] * self.shape[0],
            low[1] + cell[1] * self.shape[1],
            low[2] + cell[2] * self.shape[2],
        )
        stop = (start[0] + self.shape[0], start[1] + self.shape[1], start[2] + self.shape[2])
        return Box(start, stop).intersect(self.bounds)
