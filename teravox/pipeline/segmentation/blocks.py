"""Blocks: the boxes of a grid, each read with a halo around it, and the overlaps of those that share a face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.segmentation.numbers import Numbers

LOW, HIGH = 0, 1  # the sides of a block on an axis


class Blocks(Sequence[Box]):
    """The blocks that are used, in ascending order of their numbers in the grid; a block's item is its core."""

    def __init__(self, grid: Grid, halo: Vec, used: Numbers) -> None:
        self.grid = grid
        self.halo = halo
        self.used = used

    def __len__(self) -> int:
        return len(self.used)

    @overload
    def __getitem__(self, place: int) -> Box: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Box]: ...
    def __getitem__(self, place: int | slice) -> Box | Sequence[Box]:
        if isinstance(place, slice):
            return [self.grid[index] for index in self.used[place]]
        return self.grid[self.used[place]]

    def number_of(self, core: Box) -> int:
        """The number of a block in the grid, x fastest; ValueError of a box that is no block."""
        low, shape = self.grid.bounds.min, self.grid.shape
        x, y, z = ((a - start) // length for a, start, length in zip(core.min, low, shape, strict=True))
        if self.grid.box((x, y, z)) != core:
            raise ValueError(f"{core} is no block of {shape} voxels in {self.grid.bounds}")
        return self.number((x, y, z))

    def number(self, cell: Vec) -> int:
        """The number of the block at a place of the grid."""
        across, up, _ = self.grid.cells
        return cell[0] + across * (cell[1] + up * cell[2])

    def read_box(self, index: int) -> Box:
        """What is read of a block: its core grown by the halo, within the bounds."""
        return grow(self.grid[index], self.halo).intersect(self.grid.bounds)

    def neighbour(self, index: int, axis: int, side: int) -> int | None:
        """The block behind a face; None where there is none, or none that is used."""
        cell = list(self.grid.cell(index))
        cell[axis] += 1 if side == HIGH else -1
        if not 0 <= cell[axis] < self.grid.cells[axis]:
            return None
        number = self.number((cell[0], cell[1], cell[2]))
        return number if number in self.used else None

    def overlap(self, index: int, axis: int) -> Box | None:
        """What a block and its upper neighbour on an axis both read; None where there is none, or nothing."""
        upper = self.neighbour(index, axis, HIGH)
        if upper is None:
            return None
        shared = self.read_box(index).intersect(self.read_box(upper))
        return None if shared.is_empty else shared

    def faces(self, index: int) -> dict[tuple[int, int], Box]:
        """The overlaps of a block by axis and side."""
        boxes: dict[tuple[int, int], Box] = {}
        for axis in range(3):
            lower = self.neighbour(index, axis, LOW)
            for side, of in ((LOW, lower), (HIGH, index)):
                shared = None if of is None else self.overlap(of, axis)
                if shared is not None:
                    boxes[axis, side] = shared
        return boxes


def grow(box: Box, by: Vec) -> Box:
    """The box with so many voxels more on either side of each axis."""
    (x0, y0, z0), (x1, y1, z1), (dx, dy, dz) = box.min, box.max, by
    return Box((x0 - dx, y0 - dy, z0 - dz), (x1 + dx, y1 + dy, z1 + dz))
