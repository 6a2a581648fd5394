"""The layer that reordered slices go to, and the pieces in which it is written."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.encoding import compression_of, encoding_words, keep_words, packing_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info, new_scale, shard_scale
from teravox.pipeline.storage.compression import check_level
from teravox.pipeline.units import say_bytes

GROWN = 1 << 27  # bytes of voxels; larger pieces are no faster, unless they decode fewer chunks
IN_A_SHARD = 8  # a shard's voxels take at most this part of the memory
LIBRARIES = 250_000_000  # bytes that the interpreter and the libraries take
SHARDS = 100_000_000  # bytes of packed chunks of a sharded source that are fetched together
COPIES = 5  # of each chunk that is on its way: voxels, encoded, packed, and what the codecs need


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; None leaves it to the planner."""

    dest: str
    mip: int
    bounds: Box | None
    shape: Vec | None
    memory: int
    chunk: Vec | None
    encoding: str | None
    encoding_level: int | None
    encoding_effort: int | None
    compress: str
    compress_level: int | None
    sharded: bool


class Plan(msgspec.Struct, frozen=True):
    """The info of the new layer and the grid of its pieces; the same for the same wish and source."""

    source: Layer
    raw: Json
    scale: Scale
    grid: Grid


def plan_reorder(source: Layer, wish: Wish) -> Plan:
    """How it is to be done; BadUsage says what cannot be meant.

    Pieces grow along z first: one that has all slices decodes each chunk of the source once, in whatever order.
    """
    raw = _new_scale(source, wish)
    scale = msgspec.convert(raw, Scale)
    whole = scale.size
    unit = unit_of(scale, f"mip 0 of layer {wish.dest}")
    if wish.shape is not None and any(
        n < 1 or (n % u and n < w) for n, u, w in zip(wish.shape, unit, whole, strict=True)
    ):
        raise BadUsage(
            f"--shape: pieces must be multiples of {_say(unit)} voxels, got {_say(wish.shape)}; "
            f"else two of them would write one {'shard' if wish.sharded else 'chunk'}"
        )
    least = wish.shape or unit
    needed = bytes_needed(source, wish.mip, _clip(least, whole), scale, wish.dest)
    if needed > wish.memory:
        raise BadUsage(
            f"{_say(_clip(least, whole))} voxels need {say_bytes(needed)}, and --memory allows {say_bytes(wish.memory)}: "
            "give it more --memory, or take smaller chunks by --chunk-size"
        )
    info = source.info
    voxel = info.num_channels * source.dtype.itemsize

    def fits(size: Vec, most: int) -> bool:
        size = _clip(size, whole)
        is_small = math.prod(size) * voxel <= most
        return is_small and bytes_needed(source, wish.mip, size, scale, wish.dest) <= wish.memory

    shape = wish.shape
    if shape is None:
        x, y, z = unit
        most = GROWN if source.scale(wish.mip).chunk[2] == 1 else wish.memory
        while z < whole[2] and fits((x, y, 2 * z), most):
            z *= 2
        while (x < whole[0] or y < whole[1]) and z >= whole[2]:
            wider = (2 * x, y) if x < whole[0] and (x <= y or y >= whole[1]) else (x, 2 * y)
            if not fits((*wider, z), GROWN):
                break
            x, y = wider
        shape = (x, y, z)
    layer = new_info(type=info.type, data_type=info.data_type, channels=info.num_channels, scales=[raw])
    return Plan(source, layer, scale, Grid(scale.bounds, shape))


def bytes_needed(source: Layer, mip: int, size: Vec, scale: Scale, dest: str) -> int:
    """Voxels of a piece, chunks on their way, and a shard that is not whole yet."""
    voxel = source.info.num_channels * source.dtype.itemsize
    old = source.scale(mip)
    chunk = max(math.prod(old.chunk), math.prod(scale.chunk)) * voxel
    fetched = 0 if old.sharding is None else SHARDS
    held = 0
    if scale.sharding is not None:
        held = int(2.1 * math.prod(_clip(unit_of(scale, dest), scale.size)) * voxel)
    return LIBRARIES + math.prod(size) * voxel + COPIES * chunk * source.lanes + fetched + held


def _new_scale(source: Layer, wish: Wish) -> Json:
    """The scale of the new layer, with the key and the resolution of the old one."""
    scale, whole = source.scale(wish.mip), source.bounds(wish.mip)
    bounds = whole if wish.bounds is None else wish.bounds
    if bounds.intersect(whole) != bounds:
        raise BadUsage(f"--bounds: {bounds} does not lie within {source.place(wish.mip)}, which is {whole}")
    words = encoding_words(wish.encoding or scale.encoding, level=wish.encoding_level, effort=wish.encoding_effort)
    if words["encoding"] == scale.encoding:
        asked = words.keys() - encoding_words(scale.encoding).keys()
        words = words | keep_words(source.raw["scales"][wish.mip]) | {word: words[word] for word in asked}
    chunk = wish.chunk or scale.chunk
    if min(chunk) < 1:
        raise BadUsage(f"--chunk-size: expected three numbers from 1 up, got {_say(chunk)}")
    check_level(compression_of(wish.compress, words["encoding"]), wish.compress_level)
    raw = new_scale(bounds=bounds, resolution=scale.resolution, chunk=chunk, encoding=words, key=scale.key)
    if not wish.sharded:
        return raw
    return shard_scale(
        raw,
        voxel_bytes=source.info.num_channels * source.dtype.itemsize,
        most_bytes=wish.memory // IN_A_SHARD,
        packing=packing_of(wish.compress, words["encoding"]),
    )


def _clip(shape: Vec, whole: Vec) -> Vec:
    x, y, z = map(min, shape, whole)
    return (x, y, z)


def _say(numbers: Vec) -> str:
    return ",".join(map(str, numbers))
