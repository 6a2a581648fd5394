"""The most memory that copying a piece takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.chunk_memory import A_CHUNK, COPIES, fetching_bytes, growth_of
from teravox.pipeline.layers.transfer.scales import shrink
from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES
from teravox.pipeline.storage.urls import is_local

if TYPE_CHECKING:
    from teravox.pipeline.layers.transfer.route import Route


def bytes_needed(route: Route, size: Vec, block: Vec | None) -> int:
    """Chunks and parts of shards on their way, a block and what is made of it, and the shards that are put together."""
    local = is_local(route.dest)
    lanes = max(route.source.lanes, LOCAL_LANES if local else LANES)
    chunk = max(route.bytes_of(route.read.chunk), route.bytes_of(route.copy.chunk))
    total: float = LIBRARIES + COPIES * chunk * lanes
    total += fetching_bytes(route.read, route.bytes_of((1, 1, 1)), math.prod(block or size))
    if block is not None:
        total += route.bytes_of(block) + _downsampling(route, block)
    for step, scale in enumerate(route.scales):
        above = shrink(Box((0, 0, 0), size), route.factor, step).size
        total += A_CHUNK * math.prod(-(-n // c) for n, c in zip(above, scale.chunk, strict=True))
        if scale.sharding is not None:  # its chunks, the shard made of them, and what a bucket's library makes of it
            total += (2 if local else 3) * route.bytes_of(above) * growth_of(scale.encoding)
    return math.ceil(total)


def _downsampling(route: Route, block: Vec) -> int:
    """The results, and what the kernel needs beside them."""
    mips = len(route.scales) - 1
    if not mips:
        return 0
    from teravox.kernels.slabs import sizes_above, working_bytes

    channels, itemsize = route.source.info.num_channels, route.source.info.itemsize
    results = sum(route.bytes_of(sizes_above(block, route.factor, step)) for step in range(1, mips + 1))
    return results + working_bytes(block, channels, itemsize, route.factor, mips, route.method, sparse=route.sparse)
