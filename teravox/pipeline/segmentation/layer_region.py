"""Where a layer is not 0, as the part of a volume that is to be segmented."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.segmentation.numbers import Numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.segmentation.region import Mask

MOST_TO_LOOK_AT = 1 << 33  # voxels of a layer, to find the blocks with something in them
AT_ONCE = 1 << 26  # of these


class LayerRegion:
    """Where a layer is not 0, at any resolution: a voxel belongs to it if its middle lies in such a voxel of the layer."""

    def __init__(self, layer: Layer, mip: int, resolution: tuple[float, float, float], *, fill_missing: bool) -> None:
        self._layer = layer
        self._mip = mip
        self._fill_missing = fill_missing
        self._ratio = [ours / theirs for ours, theirs in zip(resolution, layer.scale(mip).resolution, strict=True)]

    def mask(self, box: Box) -> Mask | None:
        import numpy as np

        theirs = self._read(box)
        mask = np.zeros(box.size, np.bool_, order="F")
        if theirs is not None:
            mask[theirs.inside(box)] = theirs.voxels[np.ix_(*theirs.places(box))]
        return None if mask.all() else mask

    def used(self, grid: Grid) -> Numbers:
        import numpy as np

        voxels = math.prod(n * ratio for n, ratio in zip(grid.bounds.size, self._ratio, strict=True))
        if voxels > MOST_TO_LOOK_AT:
            raise BadUsage(
                f"--roi: {self._layer.place(self._mip)} has {voxels:,.0f} voxels there, too many to look at now: name a "
                "coarser mip with --roi-mip, or make one with: teravox image downsample"
            )
        found = []
        each = math.prod(max(1.0, n * ratio) for n, ratio in zip(grid.shape, self._ratio, strict=True))
        side = max(1, int((AT_ONCE / each) ** (1 / 3)))
        for cells in Grid(Box((0, 0, 0), grid.cells), (side, side, side)):
            last = grid.box((cells.max[0] - 1, cells.max[1] - 1, cells.max[2] - 1))
            theirs = self._read(Box(grid.box(cells.min).min, last.max))
            if theirs is None:
                continue
            for cell in Grid(cells, (1, 1, 1)):
                places = map(np.unique, theirs.places(grid.box(cell.min)))
                if theirs.voxels[np.ix_(*places)].any():
                    x, y, z = cell.min
                    found.append(x + grid.cells[0] * (y + grid.cells[1] * z))
        return Numbers.of(sorted(found))

    def _read(self, box: Box) -> _Part | None:
        """Their voxels for a box of ours; None where they have none."""
        import numpy as np

        bounds = self._layer.bounds(self._mip)
        low, high = [], []
        for a, b, ratio, start, stop in zip(box.min, box.max, self._ratio, bounds.min, bounds.max, strict=True):
            low.append(max(math.floor((a + 0.5) * ratio), start))
            high.append(min(math.floor((b - 0.5) * ratio) + 1, stop))
        theirs = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        if any(a >= b for a, b in zip(low, high, strict=True)):
            return None
        voxels = self._layer.read(theirs, self._mip, fill_missing=self._fill_missing)
        return _Part(theirs, np.any(voxels, axis=-1), self._ratio)


class _Part(NamedTuple):
    """Some voxels of a layer, and how many of them one of ours is long."""

    box: Box
    voxels: Mask
    ratio: list[float]

    def places(self, ours: Box) -> list[NDArray[np.int64]]:
        """On each axis the voxels here in which the middles of ours lie, of those that lie in any."""
        return [at[self._there(at, axis)] - self.box.min[axis] for axis, at in enumerate(self._all(ours))]

    def inside(self, ours: Box) -> tuple[slice, slice, slice]:
        """Which of ours these are."""
        x, y, z = (
            slice(int(there.argmax()), int(there.argmax()) + int(there.sum()))
            for there in (self._there(at, axis) for axis, at in enumerate(self._all(ours)))
        )
        return (x, y, z)

    def _there(self, at: NDArray[np.int64], axis: int) -> NDArray[np.bool_]:
        return (at >= self.box.min[axis]) & (at < self.box.max[axis])

    def _all(self, ours: Box) -> list[NDArray[np.int64]]:
        import numpy as np

        return [
            np.floor((np.arange(a, b) + 0.5) * ratio).astype(np.int64)
            for a, b, ratio in zip(ours.min, ours.max, self.ratio, strict=True)
        ]


def mip_near(layer: Layer, resolution: tuple[float, float, float]) -> int:
    """The coarsest mip of a layer that is no coarser than a resolution; 0 where all are."""
    fits = [
        mip
        for mip, scale in enumerate(layer.info.scales)
        if all(theirs <= ours * 1.001 for theirs, ours in zip(scale.resolution, resolution, strict=True))
    ]
    return max(fits, default=0, key=lambda mip: (math.prod(layer.scale(mip).resolution), -mip))
