"""Counts the values of a sample of chunks, slice by slice."""

from __future__ import annotations

import math
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.contrast.sampling import COLUMN_BYTES, sample_columns
from teravox.pipeline.layers.chunk_grid import align_outward, chunks_of
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
from teravox.pipeline.layers.chunk_source import ChunkSource
from teravox.pipeline.layers.layer import Layer, within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of 8 or 16 bits without sign

COUNTERS = 4  # threads that count at once, each with counts of its own
A_COUNT = 60  # bytes that a number takes on its way into a file


def count_slices(
    layer: Layer, mip: int, box: Box, *, coverage: float, seed: int, fill_missing: bool
) -> NDArray[np.uint64]:
    """How often each value occurs in a sample of a box: by slice, channel and value."""
    from teravox.kernels.histogram import count_values, no_counts

    channels = layer.info.num_channels
    counters: SimpleQueue[NDArray[np.uint64]] = SimpleQueue()
    all_counts = [no_counts(box.size[2], channels, layer.dtype) for _ in range(COUNTERS)]
    for counts in all_counts:
        counters.put(counts)

    def count(chunk: Box, found: Array | None) -> None:
        part = chunk.intersect(box)
        counts = counters.get()
        try:
            slices = counts[part.min[2] - box.min[2] : part.max[2] - box.min[2]]
            if found is None:
                slices[:, :, 0] += part.size[0] * part.size[1]
            else:
                count_values(found[within(part, chunk)], slices)
        finally:
            counters.put(counts)

    scale = layer.scale(mip)
    chunks = (chunk for column in sample_columns(scale, box, coverage, seed) for chunk in chunks_of(scale, column))
    ChunkSource(layer, mip, fill_missing=fill_missing).for_each(chunks, count)
    total = all_counts[0]
    for counts in all_counts[1:]:
        total += counts
    return total


def counting_bytes(layer: Layer, mip: int, box: Box) -> int:
    """The most bytes that counting a box takes, and putting what was counted into a file."""
    from teravox.kernels.histogram import values_of

    scale, itemsize, channels = layer.scale(mip), layer.info.itemsize, layer.info.num_channels
    grown = align_outward(scale, box).size
    x, y, z = scale.chunk
    columns = -(-grown[0] // x) * -(-grown[1] // y)
    values = values_of(layer.dtype)
    counts = box.size[2] * channels * values
    fetched = math.ceil(fetching_bytes(scale, channels * itemsize, box.voxels))
    on_their_way = layer.lanes * COPIES * x * y * z * channels * itemsize + fetched
    return columns * COLUMN_BYTES + on_their_way + counts * 8 * COUNTERS + values * A_COUNT + counts * 24
