"""Reads slices in another order, each chunk that holds some of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.chunk_source import ChunkSource
from teravox.pipeline.layers.layer import Layer, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type


def boxes_of(layer: Layer, mip: int, box: Box, slices: list[int | None]) -> list[Box]:
    """What is read for a box: each layer of chunks that holds some of the slices."""
    scale = layer.scale(mip)
    start, thick = scale.voxel_offset[2], scale.chunk[2]
    (x0, y0, _), (x1, y1, _) = box.min, box.max
    layers = sorted({(z - start) // thick for z in slices if z is not None})
    lows = (start + number * thick for number in layers)
    return [Box((x0, y0, low), (x1, y1, low + thick)).intersect(scale.bounds) for low in lows]


def read_slices(layer: Layer, mip: int, box: Box, slices: list[int | None], *, fill_missing: bool) -> Array:
    """The voxels of a box in x and y, whose slices are those given; None is background."""
    import numpy as np

    places: dict[int, list[int]] = {}
    for at, z in enumerate(slices):
        if z is not None:
            places.setdefault(z, []).append(at)
    (x0, y0, _), (x1, y1, _) = box.min, box.max
    chunks: dict[Box, None] = {}
    for z in sorted(places):
        chunks |= dict.fromkeys(chunks_of(layer.scale(mip), Box((x0, y0, z), (x1, y1, z + 1))))
    voxels = np.zeros((*box.size[:2], len(slices), layer.info.num_channels), layer.dtype, order="F")

    def take(chunk: Box, found: Array | None) -> None:
        if found is None:
            return
        low, high = chunk.min[2], chunk.max[2]
        shared = Box((x0, y0, low), (x1, y1, high)).intersect(chunk)
        to_x, to_y, _ = within(shared, box)
        from_x, from_y, _ = within(shared, chunk)
        for z in range(low, high):
            for at in places.get(z, ()):
                voxels[to_x, to_y, at] = found[from_x, from_y, z - low]

    ChunkSource(layer, mip, fill_missing=fill_missing).for_each(chunks, take)
    return voxels
