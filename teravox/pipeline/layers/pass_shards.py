"""Chooses how the new mips of a pass are sharded: alike in what they cover, and such that memory holds them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence

import msgspec

from teravox.pipeline.box import Vec
from teravox.pipeline.layers.encoding import packing_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.mips_made import MipsMade
from teravox.pipeline.layers.new_layer import shard_scale
from teravox.pipeline.layers.shapes import clip, common
from teravox.pipeline.layers.sharding.morton import Morton

MOST = 1 << 32  # bytes of voxels of a piece that is cut for the sake of large shards
LEAST = 1 << 27  # bytes of voxels that no piece needs to go below
PARTS = 16  # pieces of a volume, for workers to share

SHRINKS = 64  # how much smaller the shards of the highest mip may become than a piece, where it is not said how many mips to make

Fits = Callable[[MipsMade], bool]  # whether memory allows a piece that makes these scales


def mips_with_good_shards(layer: Layer, mip: int, factor: Vec) -> int:
    """How many mips a pass can make before the shards of the highest one become small, for pieces cannot be any larger."""
    made = MipsMade(layer, mip, factor, ())
    if made.bytes_of(made.source.size) <= LEAST:
        return sys.maxsize  # one piece is all
    mips = 1
    while math.prod(factor) ** (mips + 1) <= SHRINKS:
        mips += 1
    return mips


def shard_above(
    made: MipsMade, raws: Sequence[Json], first: int, compress: str, shape: Vec | None, fits: Fits
) -> list[Json]:
    """The scales, of which those from place `first` on are new, with the largest shards that fit; else with the smallest.

    A piece covers whole shards of the highest mip, and each mip below has the largest shards that divide it.
    So the shards of all mips become whole again and again while one walks through the piece.
    With a `shape` asked for, that is the piece.
    """
    whole = made.source.size
    most = min(MOST, max(LEAST, made.bytes_of(whole) // PARTS))
    mortons = [_morton(scale) for scale in made.above]
    smallest = list(raws)
    top = len(raws) - 1
    for bits in range(mortons[top].bits, -1, -1):
        piece = common([made.units, _brick(made, mortons[top], top, bits)], (1, 1, 1))
        if shape is None:
            is_usable = bits == 0 or made.bytes_of(clip(piece, whole)) <= most
        else:
            is_usable = _divides(piece, shape, whole)
        if not is_usable:
            continue
        piece = shape or piece
        chosen = {
            at: max(b for b in range(mortons[at].bits + 1) if _divides(_brick(made, mortons[at], at, b), piece, whole))
            for at in range(first, top)
        } | {top: bits}
        for fewer in _shrink(made, chosen):
            smallest = [_shard(made, raw, fewer[at], compress) if at in fewer else raw for at, raw in enumerate(raws)]
            if fits(_with(made, smallest)):
                return smallest
    return smallest


def _shrink(made: MipsMade, chosen: dict[int, int]) -> Iterator[dict[int, int]]:
    """First all bits as they are chosen, then smaller shards where they are largest, until none is larger than those of the top."""
    top = max(chosen)
    while True:
        yield chosen
        largest = max(chosen, key=lambda at: _bytes_of_shard(made, at, chosen[at]))
        least = _bytes_of_shard(made, top, chosen[top]) if chosen[top] else 0
        if chosen[largest] == 0 or _bytes_of_shard(made, largest, chosen[largest]) <= least:
            return
        chosen = chosen | {largest: chosen[largest] - 1}


def _bytes_of_shard(made: MipsMade, at: int, bits: int) -> int:
    return made.bytes_of(made.above[at].chunk) << bits


def _shard(made: MipsMade, raw: Json, bits: int, compress: str) -> Json:
    scale = msgspec.convert(raw, Scale)
    return shard_scale(
        raw,
        voxel_bytes=made.bytes_of((1, 1, 1)),
        most_bytes=made.bytes_of(scale.chunk) << bits,
        packing=packing_of(compress, scale.encoding),
    )


def _with(made: MipsMade, raws: Sequence[Json]) -> MipsMade:
    return msgspec.structs.replace(made, above=msgspec.convert(raws, tuple[Scale, ...]))


def _morton(scale: Scale) -> Morton:
    x, y, z = (-(-n // c) for n, c in zip(scale.size, scale.chunk, strict=True))
    return Morton((x, y, z))


def _brick(made: MipsMade, morton: Morton, at: int, bits: int) -> Vec:
    """A shard of so many bits, in voxels of the mip that is read."""
    brick, chunk = morton.brick(bits), made.above[at].chunk
    x, y, z = (b * c * f ** (at + 1) for b, c, f in zip(brick, chunk, made.factor, strict=True))
    return (x, y, z)


def _divides(part: Vec, piece: Vec, whole: Vec) -> bool:
    """Whether pieces end between parts, or at the end of the volume."""
    return all(n % p == 0 or n >= size for p, n, size in zip(part, piece, whole, strict=True))
