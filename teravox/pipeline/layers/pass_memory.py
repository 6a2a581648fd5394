"""The most memory that making mips of a piece takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Vec
from teravox.pipeline.layers.chunk_memory import A_CHUNK, COPIES, fetching_bytes, growth_of
from teravox.pipeline.layers.mips_made import MipsMade
from teravox.pipeline.layers.shapes import clip
from teravox.pipeline.storage.urls import is_local

if TYPE_CHECKING:
    from teravox.kernels.slabs import Method


def mips_by_chunk(made: MipsMade, method: Method, *, sparse: bool) -> int:
    """How many of the mips are made of each chunk as it is read, so that a block's voxels are never there; 0 for none.

    None are where a cell lies in two chunks. Averages of several mips are made of the sums of all voxels, so it is all of
    them or none, and none where the sums of many chunks at a time would take much memory.
    """
    from teravox.kernels.slabs import goes_by_squares

    mips = 1
    if method == "average":
        mips = len(made.above)
        if not goes_by_squares(made.layer.info.itemsize, made.factor, mips, sparse=sparse):
            return 0
    return mips if all(n % f**mips == 0 for n, f in zip(made.source.chunk, made.factor, strict=True)) else 0


def bytes_needed(made: MipsMade, method: Method, size: Vec, block: Vec, *, sparse: bool) -> int:
    """The voxels of a block and of its mips, what is on its way there and from there, and the shards that are not whole yet.

    Where mips are made by chunk, that kernel runs in every lane.
    """
    from teravox.kernels.slabs import sizes_above, working_bytes

    layer, mips = made.layer, len(made.above)
    results = sum(made.bytes_of(sizes_above(block, made.factor, step)) for step in range(1, mips + 1))
    chunk = max(made.bytes_of(scale.chunk) * growth_of(scale.encoding) for scale in (made.source, *made.above))
    on_the_way = COPIES * chunk * layer.lanes + fetching_bytes(made.source, made.bytes_of((1, 1, 1)), math.prod(block))

    def working(size: Vec, mips: int) -> int:
        return working_bytes(
            size, layer.info.num_channels, layer.info.itemsize, made.factor, mips, method, sparse=sparse
        )

    voxels = made.bytes_of(block)
    by_chunk = mips_by_chunk(made, method, sparse=sparse)
    if by_chunk:
        chunk_size = made.source.chunk
        voxels = 0
        on_the_way += layer.lanes * (
            working(chunk_size, by_chunk)
            + sum(made.bytes_of(sizes_above(chunk_size, made.factor, step)) for step in range(1, by_chunk + 1))
        )
    return math.ceil(LIBRARIES + voxels + results + max(working(block, mips), on_the_way) + _shards(made, size))


def _shards(made: MipsMade, size: Vec) -> float:
    """The packed chunks of all mips that wait for the rest of their shards, and the largest shard that is put together of them.

    All shards of a nest may be held at once, and may become whole at once.
    """
    from teravox.kernels.slabs import sizes_above

    held = [0.0]
    known = 0
    for step, nest in made.nests:
        scale = made.above[step - 1]
        part = sizes_above(clip(nest, size), made.factor, step)
        held.append(made.bytes_of(part) * growth_of(scale.encoding))
        known += A_CHUNK * math.prod(-(-n // c) for n, c in zip(part, scale.chunk, strict=True))
    again = 1 if is_local(made.layer.url) else 2  # the library of a bucket copies what it sends
    return sum(held) + known + again * max(held)
