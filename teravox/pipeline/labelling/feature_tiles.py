"""Features of tiles, kept for as long as memory allows: what is shown is what people label next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.labelling.bounded import Bounded
from teravox.pipeline.labelling.kept_chunks import KeptChunks
from teravox.pipeline.labelling.planes import PLANES, TILE, PlaneName, Tile, flatten
from teravox.pipeline.labelling.sight import Seen
from teravox.pipeline.segmentation.blocks import grow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.selection import Selection

    Features = NDArray[np.float32]  # a row for each feature, a column for each voxel
    Places = NDArray[np.int64]  # a row of x, y, z for each voxel
    Array = NDArray[Any]


class FeatureTiles:
    """The features of a mip of an image, tile by tile."""

    def __init__(self, chunks: KeptChunks, mip: int, selection: Selection, most: int) -> None:
        from teravox.kernels.learning.features import margin

        self.selection = selection
        self.scale = chunks.layer.scale(mip)
        self.channels = chunks.layer.info.num_channels
        x, y, z = self.scale.resolution
        self.resolution = (float(z), float(y), float(x))
        across, down, along = margin(selection, self.resolution)
        self._margin = (along, down, across)
        self._chunks = chunks
        self._mip = mip
        self._kept: Bounded[Tile] = Bounded(most)

    def knows(self, tile: Tile) -> bool:
        """Whether the features of a tile need not be computed."""
        return self._kept.get(tile) is not None

    def of(self, tile: Tile) -> Features:
        """The features of a tile's voxels, row by row."""
        kept = self._kept.get(tile)
        if kept is None:
            kept = self._compute(tile)
            self._kept.put(tile, kept)
        return kept

    def see(self, tile: Tile) -> Seen:
        """The same, each voxel for itself."""
        return Seen(self.of(tile))

    def tiles_of(self, places: Places) -> dict[Tile, Array]:
        """The tiles in which voxels lie, and which of the voxels; of the planes, the one with the fewest slices."""
        import numpy as np

        name = min(PLANES, key=lambda name: len(np.unique(places[:, PLANES[name].across])))
        plane = PLANES[name]
        offset = np.array(self.scale.voxel_offset)
        cells = np.stack(
            [
                places[:, plane.across],
                (places[:, plane.column] - offset[plane.column]) // TILE,
                (places[:, plane.row] - offset[plane.row]) // TILE,
            ],
            axis=1,
        )
        found, which = np.unique(cells, axis=0, return_inverse=True)
        which = which.reshape(-1)
        return {
            Tile(name, self._mip, int(at), int(column), int(row)): np.flatnonzero(which == number)
            for number, (at, column, row) in enumerate(found)
        }

    def at(self, tile: Tile, places: Places) -> Features:
        """The features of some voxels of a tile."""
        box = tile.box(self.scale)
        plane = PLANES[tile.plane]
        rows = places[:, plane.row] - box.min[plane.row]
        columns = places[:, plane.column] - box.min[plane.column]
        picked: Features = self.of(tile)[:, rows * box.size[plane.column] + columns]
        return picked

    def _compute(self, tile: Tile) -> Features:
        import numpy as np

        from teravox.kernels.learning.features import compute

        box = tile.box(self.scale)
        grown = grow(box, self._margin).intersect(self.scale.bounds)
        voxels = self._chunks.read(grown, self._mip).transpose(2, 1, 0, 3)
        gray = np.ascontiguousarray(voxels[..., 0] if self.channels == 1 else voxels)
        (x, y, z), (x1, y1, z1) = (
            [a - o for a, o in zip(corner, grown.min, strict=True)] for corner in (box.min, box.max)
        )
        found = compute(gray, self.selection, self.resolution, kept=((z, z1), (y, y1), (x, x1)))
        return np.ascontiguousarray(_flatten_features(found, tile.plane))


def _flatten_features(found: Array, name: PlaneName) -> Array:
    """A row for each feature of a slice that is given as feature, z, y and x."""
    rows = [flatten(one.transpose(2, 1, 0), name) for one in found]
    import numpy as np

    return np.stack([row.reshape(-1) for row in rows])
