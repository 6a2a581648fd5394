"""Reads a box slab by slab, where less of it is needed at once than all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.chunk_grid import align_outward
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.storage.side_by_side import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of the layer's data type


def read_slabs(layer: Layer, box: Box, mip: int, *, fill_missing: bool = False) -> Iterator[Array]:
    """The voxels of a box as x, y, z and channel, in slabs across z, the lowest first; a slab is overwritten by the next one.

    They are as `Layer.read` gives them, and each chunk is read once.
    """
    from teravox.pipeline.layers.chunk_source import ChunkSource
    from teravox.pipeline.layers.fresh_array import make_array

    layer.check_inside(box, mip)
    source = ChunkSource(layer, mip, fill_missing=fill_missing)
    slabs = cut_slabs(layer.scale(mip), box)
    room = make_array(max(slab.voxels for slab in slabs) * layer.info.num_channels, layer.dtype)
    for slab in slabs:
        shape = (*slab.size, layer.info.num_channels)
        voxels = room[: math.prod(shape)].reshape(shape, order="F")
        source.fill(slab, voxels)
        yield voxels


def cut_slabs(scale: Scale, box: Box) -> list[Box]:
    """Slabs that share no chunk, each of enough chunks to be read side by side; of shards, whose lists are read once, one slab."""
    if scale.sharding is not None:
        return [box]
    whole = align_outward(scale, box)
    across = (whole.size[0] // scale.chunk[0]) * (whole.size[1] // scale.chunk[1])
    height = scale.chunk[2] * -(-LANES // across)
    return [slab.intersect(box) for slab in Grid(whole, (whole.size[0], whole.size[1], height))]
