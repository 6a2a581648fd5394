"""Reads a piece of a source, and writes it to a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.encoding import compression_of
from teravox.pipeline.sources.plan import Plan
from teravox.pipeline.sources.volume import Volume

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer


def fill(layer: Layer, volume: Volume, plan: Plan, piece: Box, compress: str, level: int | None) -> None:
    """Write a piece, part by part."""
    import numpy as np

    how = compression_of(compress, plan.scale.encoding) if plan.scale.sharding is None else None
    back = (-plan.offset[0], -plan.offset[1], -plan.offset[2])
    with layer.writer(piece, 0, compress=how, level=level) as writer:
        for part in Grid(piece, plan.part):
            voxels = np.empty((*part.size, volume.channels), layer.dtype, order="F")
            volume.read(part.shift(back), voxels, plan.costs.lanes)
            writer.write(part, voxels)
            del voxels
