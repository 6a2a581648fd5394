"""Reads boxes of an image again and again, and decodes each chunk once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.labelling.bounded import Bounded
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.chunk_source import ChunkSource
from teravox.pipeline.layers.layer import Layer, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type


class KeptChunks:
    """The chunks of a layer that were used last; missing ones read as background, and of each mip they are opened once."""

    def __init__(self, layer: Layer, most: int) -> None:
        self.layer = layer
        self._kept: Bounded[tuple[int, Vec]] = Bounded(most)
        self._sources = [ChunkSource(layer, mip, fill_missing=True) for mip in range(len(layer.info.scales))]

    def read(self, box: Box, mip: int) -> Array:
        """The voxels of a box within the bounds: x, y, z and channel."""
        import numpy as np

        layer = self.layer
        layer.check_inside(box, mip)
        voxels = np.empty((*box.size, layer.info.num_channels), layer.dtype, order="F")
        missing = []
        for chunk in chunks_of(layer.scale(mip), box):
            kept = self._kept.get((mip, chunk.min))
            if kept is None:
                missing.append(chunk)
            else:
                _copy(chunk, kept, box, voxels)

        def take(chunk: Box, found: Array | None) -> None:
            decoded = np.zeros((1, 1, 1, 1), layer.dtype) if found is None else found
            self._kept.put((mip, chunk.min), decoded)
            _copy(chunk, decoded, box, voxels)

        self._sources[mip].for_each(missing, take)
        return voxels


def _copy(chunk: Box, kept: Array, box: Box, voxels: Array) -> None:
    """What a chunk and a box share; a chunk of one voxel of background stands for a whole one."""
    shared = chunk.intersect(box)
    voxels[within(shared, box)] = kept if kept.shape[:3] != chunk.size else kept[within(shared, chunk)]
