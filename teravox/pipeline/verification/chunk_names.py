"""The names of chunks: which place of which grid one stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.chunk_grid import chunk_key
from teravox.pipeline.layers.info import Scale

_NAME = re.compile(r"(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)")


class ChunkGrid:
    """The chunks of one size of a scale, by number, with a byte for each to note what was seen of it."""

    def __init__(self, scale: Scale, chunk: Vec) -> None:
        self.scale = scale
        self.grid = Grid(scale.bounds, chunk)
        self.seen = bytearray(len(self.grid))

    def __len__(self) -> int:
        return len(self.grid)

    def find(self, name: str) -> int | None:
        """The number of the chunk that has this name; None if no chunk of this size has it."""
        said = _NAME.fullmatch(name)
        if said is None:
            return None
        x0, x1, y0, y1, z0, z1 = map(int, said.groups())
        cell = []
        for low, start, length, cells in zip(
            (x0, y0, z0), self.scale.voxel_offset, self.grid.shape, self.grid.cells, strict=True
        ):
            at, rest = divmod(low - start, length)
            if rest or not 0 <= at < cells:
                return None
            cell.append(at)
        x, y, z = cell
        if self.grid.box((x, y, z)) != Box((x0, y0, z0), (x1, y1, z1)) or self._name((x, y, z)) != name:
            return None
        return (z * self.grid.cells[1] + y) * self.grid.cells[0] + x

    def key(self, number: int) -> str:
        return chunk_key(self.scale, self.grid[number])

    def unseen(self) -> Iterator[int]:
        """The numbers of the chunks that were not seen."""
        at = self.seen.find(0)
        while at >= 0:
            yield at
            at = self.seen.find(0, at + 1)

    def _name(self, cell: Vec) -> str:
        return chunk_key(self.scale, self.grid.box(cell)).removeprefix(f"{self.scale.key}/")
