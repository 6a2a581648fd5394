"""A layer of one mip that is made of a mip of another: its scale, what the options say of it, and what moving chunks takes."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.encoding import compression_of, packing_of, words_like
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_scale, shard_scale
from teravox.pipeline.layers.shapes import clip, say_size
from teravox.pipeline.storage.compression import check_level
from teravox.pipeline.units import say_bytes

IN_A_SHARD = 8  # a shard's voxels take at most this part of the memory


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, by the names of the options; None and auto leave it to the planner."""

    dest: str
    mip: int
    bounds: Box | None = None
    shape: Vec | None
    memory_limit: int
    chunk_size: Vec | None
    encoding: str
    encoding_level: int | None
    encoding_effort: int | None = None
    compress: str
    compress_level: int | None
    sharded: bool


class Plan(msgspec.Struct, frozen=True):
    """The info of the new layer and the grid of its pieces; the same for the same wish and source."""

    source: Layer
    raw: Json
    scale: Scale
    grid: Grid


def plan_scale(source: Layer, wish: Wish, bounds: Box, *, voxel_bytes: int, key: str | None = None) -> Json:
    """The scale of the new layer; BadUsage where an option cannot be meant."""
    scale = source.scale(wish.mip)
    words = words_like(
        source.raw["scales"][wish.mip], wish.encoding, level=wish.encoding_level, effort=wish.encoding_effort
    )
    chunk = wish.chunk_size or scale.chunk
    if min(chunk) < 1:
        raise BadUsage(f"--chunk-size: expected three numbers from 1 up, got {say_size(chunk)}")
    how = compression_of(wish.compress, words["encoding"])
    if wish.compress == "auto" and how is None and wish.compress_level is not None:
        raise BadUsage(f"--compress-level: {words['encoding']} is not compressed further, unless --compress says how")
    check_level(how, wish.compress_level)
    raw = new_scale(bounds=bounds, resolution=scale.resolution, chunk=chunk, encoding=words, key=key)
    if not wish.sharded:
        return raw
    return shard_scale(
        raw,
        voxel_bytes=voxel_bytes,
        most_bytes=wish.memory_limit // IN_A_SHARD,
        packing=packing_of(wish.compress, words["encoding"]),
    )


def check_shape(shape: Vec | None, scale: Scale, unit: Vec, whole: Vec) -> None:
    """Raise BadUsage if pieces of a shape would share chunks, or shards."""
    if shape is not None and any(n < 1 or (n % u and n < w) for n, u, w in zip(shape, unit, whole, strict=True)):
        raise BadUsage(
            f"--shape: pieces must be multiples of {say_size(unit)} voxels, got {say_size(shape)}; "
            f"else two of them would write one {'chunk' if scale.sharding is None else 'shard'}"
        )


def check_memory(size: Vec, needed: int, wish: Wish) -> None:
    """Raise BadUsage if making so many voxels at once needs more than may be had."""
    if needed > wish.memory_limit:
        raise BadUsage(
            f"making {say_size(size)} voxels of {wish.dest} needs {say_bytes(needed)}, and --memory allows "
            f"{say_bytes(wish.memory_limit)}: give it more --memory, or take smaller chunks by --chunk-size"
        )


def moving_bytes(source: Layer, mip: int, scale: Scale, dest: str, *, voxel_bytes: int, voxels: int) -> int:
    """What a task takes besides its voxels: libraries, chunks and parts of shards on their way, and a shard that is not whole yet.

    `voxels` are the most that are read at once.
    """
    old = source.scale(mip)
    chunk = max(math.prod(old.chunk), math.prod(scale.chunk)) * voxel_bytes
    on_the_way = COPIES * chunk * source.lanes + fetching_bytes(old, voxel_bytes, voxels)
    return LIBRARIES + math.ceil(on_the_way) + shard_bytes(scale, dest, voxel_bytes)


def shard_bytes(scale: Scale, place: str, voxel_bytes: int) -> int:
    """The most that a shard takes while it is collected and put together; 0 without shards."""
    if scale.sharding is None:
        return 0
    return int(2.1 * math.prod(clip(unit_of(scale, place), scale.size)) * voxel_bytes)
