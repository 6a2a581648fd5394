"""Groups of boxes, groups of those, and so on up to one that is the whole; and the steps that go up and down again."""

from __future__ import annotations

from typing import Literal

import msgspec

from teravox.pipeline.box import Box, Grid, Vec


class Step(msgspec.Struct, frozen=True):
    """One step: every group of a level is joined, or hands the final labels down; the one at the top does both."""

    level: int
    does: Literal["join", "join and hand down", "hand down"]


class Hierarchy:
    """The groups over a grid of boxes, which are level 0."""

    def __init__(self, boxes: Grid, group: Vec) -> None:
        self._group = group
        self.grids = [boxes]
        while len(self.grids[-1]) > 1 or len(self.grids) == 1:
            below = self.grids[-1].shape
            shape = (below[0] * group[0], below[1] * group[1], below[2] * group[2])
            self.grids.append(Grid(boxes.bounds, shape))

    @property
    def top(self) -> int:
        return len(self.grids) - 1

    def steps(self) -> list[Step]:
        """What is done one after another; the groups of a step do not depend on each other."""
        up = [Step(level, "join") for level in range(1, self.top)]
        down = [Step(level, "hand down") for level in range(self.top - 1, 0, -1)]
        return [*up, Step(self.top, "join and hand down"), *down]

    def index(self, level: int, box: Box) -> int:
        """The number of a group, by its box of voxels."""
        grid = self.grids[level]
        x, y, z = ((a - b) // s for a, b, s in zip(box.min, grid.bounds.min, grid.shape, strict=True))
        return x + grid.cells[0] * (y + grid.cells[1] * z)

    def parts(self, level: int, index: int) -> list[int]:
        """The numbers of the groups (or boxes) of the level below that a group is made of, x fastest."""
        below = self.grids[level - 1].cells
        low, high = self._range(level, index, level - 1)
        return [
            x + below[0] * (y + below[1] * z)
            for z in range(low[2], high[2])
            for y in range(low[1], high[1])
            for x in range(low[0], high[0])
        ]

    def boxes(self, level: int, index: int) -> tuple[Vec, Vec]:
        """The first cell of boxes that a group covers, and the one after its last."""
        return self._range(level, index, 0)

    def _range(self, level: int, index: int, below: int) -> tuple[Vec, Vec]:
        cell, cells = self.grids[level].cell(index), self.grids[below].cells
        low, high = [], []
        for at, group, most in zip(cell, self._group, cells, strict=True):
            each = group ** (level - below)
            low.append(at * each)
            high.append(min((at + 1) * each, most))
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])
