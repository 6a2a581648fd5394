"""Which chunks stand for a whole layer, chosen by their place, so that every worker chooses the same ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_grid import align_outward
from teravox.pipeline.layers.info import Scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST = 8  # columns of chunks that are taken whatever the coverage is, where there are so many
COLUMN_BYTES = 64  # that choosing takes for each column there is


def sample_columns(scale: Scale, bounds: Box, coverage: float, seed: int) -> Iterator[Box]:
    """Columns of chunks through all slices of the bounds, at least a part `coverage` of those that touch the bounds.

    The same seed gives the same ones. The same places are taken in every slice, so that slices differ by what they hold and not by where one looked.
    """
    import numpy as np

    grown = align_outward(scale, bounds)
    wide, high = (-(-grown.size[axis] // scale.chunk[axis]) for axis in (0, 1))
    first = [(grown.min[axis] - scale.voxel_offset[axis]) // scale.chunk[axis] for axis in (0, 1)]
    x, y = np.meshgrid(np.arange(first[0], first[0] + wide), np.arange(first[1], first[1] + high), indexing="ij")
    cells = np.stack([x.ravel(), y.ravel()], axis=1)
    count = min(len(cells), max(LEAST, math.ceil(coverage * len(cells))))
    ranks = _shuffle(cells, seed)
    chosen = np.sort(np.argpartition(ranks, count - 1)[:count])
    for cell_x, cell_y in cells[chosen].tolist():
        low = (scale.voxel_offset[0] + cell_x * scale.chunk[0], scale.voxel_offset[1] + cell_y * scale.chunk[1])
        column = Box((low[0], low[1], bounds.min[2]), (low[0] + scale.chunk[0], low[1] + scale.chunk[1], bounds.max[2]))
        yield column.intersect(scale.bounds)


def _shuffle(cells: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """A number for each cell that looks random and that no other cell has."""
    import numpy as np

    place = (cells[:, 0].astype(np.uint64) << np.uint64(32)) | cells[:, 1].astype(np.uint64)
    return _mix(_mix(place) ^ np.uint64(seed))


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One step of splitmix64, which is one-to-one."""
    import numpy as np

    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
