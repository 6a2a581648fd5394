"""How one mip of an image is made anew in a layer of its own: the scale, the pieces, and the parts of a piece."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.contrast.grey import cut_bounds
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_grid import align_outward
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.encoding import compression_of, encoding_words, keep_words, packing_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info, new_scale, shard_scale
from teravox.pipeline.storage.compression import check_level
from teravox.pipeline.units import say_bytes

GROWN = 1 << 27  # bytes of voxels; parts that are larger are no faster
IN_A_SHARD = 8  # a shard's voxels take at most this part of the memory

Need = Callable[[Vec, Scale], int]  # the bytes that making a part of a size takes, and holding back shards


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; None leaves it to the planner."""

    dest: str
    mip: int
    data_type: str
    encoding: str | None
    encoding_level: int | None
    chunk_size: Vec | None
    compress: str
    compress_level: int | None
    sharded: bool
    bounds: Box | None
    shape: Vec | None
    memory: int


class Plan(msgspec.Struct, frozen=True):
    """The info of the new layer, and the pieces; each is made in parts of whole chunks, one after another."""

    layer: Layer
    raw: Json
    scale: Scale
    grid: Grid
    part: Vec

    def parts(self, piece: Box) -> Grid:
        return Grid(piece, self.part)


def plan_image(layer: Layer, wish: Wish, need: Need, grows_along: tuple[tuple[int, ...], ...]) -> Plan:
    """The same for the same wish and source; BadUsage says what cannot be meant.

    `grows_along` are the axes along which parts grow first, then the next ones.
    """
    raw = _new_info(layer, wish)
    scale = msgspec.convert(raw["scales"][0], Scale)
    unit = unit_of(scale, f"mip 0 of layer {wish.dest}")
    bounds = align_outward(scale, cut_bounds(layer, wish.mip, wish.bounds), unit).intersect(scale.bounds)
    shape = wish.shape or (unit if wish.sharded else None)
    if shape is not None and any(n < 1 or (n % u and n < w) for n, u, w in zip(shape, unit, bounds.size, strict=True)):
        raise BadUsage(
            f"--shape: pieces must be multiples of {_say(unit)} voxels, got {_say(shape)}; "
            f"else two of them would write one {'shard' if wish.sharded else 'chunk'}"
        )
    inside = bounds.size if shape is None else _clip(shape, bounds.size)
    step = _step(layer.scale(wish.mip).chunk, scale.chunk, inside)
    least = need(_clip(step, inside), scale)
    if least > wish.memory:
        raise BadUsage(
            f"making {_say(_clip(step, inside))} voxels of {wish.dest} needs {say_bytes(least)}, and --memory allows "
            f"{say_bytes(wish.memory)}: give it more --memory, or take smaller chunks by --chunk-size"
        )
    voxel = layer.info.num_channels * max(itemsize(layer.info.data_type), itemsize(wish.data_type))

    def fits(size: Vec) -> bool:
        return math.prod(size) * voxel <= GROWN and need(size, scale) <= wish.memory

    part = _enlarge(step, inside, fits, grows_along)
    return Plan(layer, raw, scale, Grid(bounds, shape or part), part)


def shard_bytes(scale: Scale, place: str, voxel: int) -> int:
    """The most that a shard takes while it is collected and put together."""
    if scale.sharding is None:
        return 0
    return int(2.1 * math.prod(_clip(unit_of(scale, place), scale.size)) * voxel)


def _new_info(layer: Layer, wish: Wish) -> Json:
    source = layer.scale(wish.mip)
    if wish.encoding is None and wish.encoding_level is None:
        words = keep_words(layer.raw["scales"][wish.mip])
    else:
        words = encoding_words(wish.encoding or source.encoding, level=wish.encoding_level)
    chunk = wish.chunk_size or source.chunk
    if min(chunk) < 1:
        raise BadUsage(f"--chunk-size: expected three numbers from 1 up, got {_say(chunk)}")
    raw = new_scale(bounds=source.bounds, resolution=source.resolution, chunk=chunk, encoding=words)
    how = compression_of(wish.compress, words["encoding"])
    if wish.compress == "auto" and how is None and wish.compress_level is not None:
        raise BadUsage(f"--compress-level: {words['encoding']} is not compressed further, unless --compress says how")
    check_level(how, wish.compress_level)
    channels = layer.info.num_channels
    if wish.sharded:
        raw = shard_scale(
            raw,
            voxel_bytes=channels * itemsize(wish.data_type),
            most_bytes=wish.memory // IN_A_SHARD,
            packing=packing_of(wish.compress, words["encoding"]),
        )
    return new_info(type="image", data_type=wish.data_type, channels=channels, scales=[raw])


def _step(source: Vec, dest: Vec, inside: Vec) -> Vec:
    """The least part: whole chunks of the source too, where they fit together well, so that none is decoded twice."""
    step = [math.lcm(s, d) for s, d in zip(source, dest, strict=True)]
    x, y, z = (n if n <= max(i, d) else d for n, d, i in zip(step, dest, inside, strict=True))
    return (x, y, z)


def _enlarge(shape: Vec, whole: Vec, fits: Callable[[Vec], bool], grows_along: tuple[tuple[int, ...], ...]) -> Vec:
    """The shape, doubled along the shortest of its first axes as long as that fits, then of the next ones."""
    for axes in grows_along:
        while open_axes := [axis for axis in axes if shape[axis] < whole[axis]]:
            longer = min(open_axes, key=lambda axis: shape[axis])
            x, y, z = (n * 2 if axis == longer else n for axis, n in enumerate(shape))
            if not fits(_clip((x, y, z), whole)):
                return shape
            shape = (x, y, z)
    return shape


def itemsize(data_type: str) -> int:
    """The bytes of a voxel of a grey image."""
    return {"uint8": 1, "uint16": 2}[data_type]


def _clip(shape: Vec, whole: Vec) -> Vec:
    x, y, z = map(min, shape, whole)
    return (x, y, z)


def _say(numbers: Vec) -> str:
    return ",".join(map(str, numbers))
