"""Another Precomputed layer as a source."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
from teravox.pipeline.sources.source import Choice, Known, Part, Source

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.sources.source import Array


class PrecomputedSource(Source):
    """One mip of a layer; it reads chunks side by side by itself."""

    axes = "xyzc"
    axes_are_said = True
    order = "F"
    lanes = 1
    turn = 1 << 26  # each turn reads the indices of shards anew

    def __init__(self, layer: Layer, choice: Choice) -> None:
        scale = layer.scale(choice.mip)
        self.place = layer.place(choice.mip)
        self._layer = layer
        self._mip = choice.mip
        self._fill_missing = choice.fill_missing
        self.shape = (*scale.size, layer.info.num_channels)
        self.dtype = layer.dtype
        self.block = (*scale.chunk, layer.info.num_channels)
        self.is_segmentation = layer.info.type == "segmentation"
        self.known = Known(
            (*map(float, scale.resolution), None),
            (*(a * b for a, b in zip(scale.voxel_offset, scale.resolution, strict=True)), None),
        )

    def read(self, part: Part) -> Array:
        x, y, z, channel = part
        box = Box((x.start, y.start, z.start), (x.stop, y.stop, z.stop)).shift(self._layer.bounds(self._mip).min)
        return self._layer.read(box, self._mip, fill_missing=self._fill_missing)[..., channel]

    def lane_bytes(self) -> int:
        scale, voxel = self._layer.scale(self._mip), self._layer.info.num_channels * self.dtype.itemsize
        chunks = COPIES * math.prod(scale.chunk) * voxel * self._layer.lanes
        return chunks + math.ceil(fetching_bytes(scale, voxel, self.turn // voxel))


def open_precomputed(url: str, choice: Choice) -> PrecomputedSource:
    """A layer at any path or URL."""
    from teravox.pipeline.layers.layer import Layer

    return PrecomputedSource(Layer.open(url, fresh=True), choice)
