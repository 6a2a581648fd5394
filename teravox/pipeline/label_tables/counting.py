"""Counts the labels of a box, chunk by chunk as they are decoded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.label_tables.sums import LabelSums, too_many
from teravox.pipeline.layers.layer import Layer, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.kernels.label_table import Rows

    Array = NDArray[Any]  # of the layer's data type


def count_labels(layer: Layer, mip: int, box: Box, memory: int, *, fill_missing: bool) -> Rows:
    """A row for each label in a box; BadInput where there are more than fit in memory."""
    import numpy as np

    from teravox.kernels.label_runs import tabulate
    from teravox.pipeline.layers.chunk_grid import chunks_of
    from teravox.pipeline.layers.chunk_source import ChunkSource

    place = f"{box} of {layer.place(mip)}"
    in_chunk, in_box = _rooms(layer, mip, box, memory)
    sums = LabelSums(in_box, place)

    def count(chunk: Box, found: Array | None) -> None:
        shared = chunk.intersect(box)
        voxels = np.zeros(shared.size, np.uint8) if found is None else found[(*within(shared, chunk), 0)]
        rows = tabulate(np.asfortranarray(voxels).view(f"u{voxels.itemsize}"), shared.min, in_chunk)
        if rows is None:
            raise too_many(in_chunk, f"chunk {chunk} of {layer.place(mip)}")
        if voxels.dtype.kind == "i" and (rows["label"] >> np.uint64(8 * voxels.itemsize - 1)).any():
            raise BadInput(f"{place} has labels below 0, and labels are counted from 0 up")
        sums.add(rows)

    layer.check_inside(box, mip)
    ChunkSource(layer, mip, fill_missing=fill_missing).for_each(chunks_of(layer.scale(mip), box), count)
    return sums.rows()


def counting_bytes(layer: Layer, mip: int, box: Box, memory: int) -> int:
    """The most bytes that `count_labels` needs, with what it returns and its copy as an object."""
    from teravox.kernels.label_runs import TABULATING
    from teravox.kernels.label_table import MERGING

    in_chunk, in_box = _rooms(layer, mip, box, memory)
    return least_memory(layer, mip, box) + in_chunk * TABULATING * layer.lanes + in_box * MERGING


def least_memory(layer: Layer, mip: int, box: Box) -> int:
    """The bytes that it takes to read the chunks of a box, before the first label is counted."""
    from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes

    scale, itemsize = layer.scale(mip), layer.info.itemsize
    chunks = COPIES * layer.lanes * math.prod(scale.chunk) * itemsize
    return LIBRARIES + chunks + math.ceil(fetching_bytes(scale, itemsize, box.voxels))


def _rooms(layer: Layer, mip: int, box: Box, memory: int) -> tuple[int, int]:
    """How many rows there may be of a chunk, and of a box before they are merged."""
    from teravox.kernels.label_runs import TABULATING
    from teravox.kernels.label_table import MERGING

    free = max(0, memory - least_memory(layer, mip, box))
    in_chunk = min(free // 2 // layer.lanes // TABULATING, math.prod(layer.scale(mip).chunk), box.voxels)
    in_box = min((free - in_chunk * TABULATING * layer.lanes) // MERGING, 2 * box.voxels)
    return in_chunk, in_box
