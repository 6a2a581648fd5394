"""How one pass over a layer makes the mips above it: how many at once, in pieces of what shape, block by block."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Literal

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.mips_made import MipsMade, Nest
from teravox.pipeline.layers.pass_memory import bytes_needed
from teravox.pipeline.layers.pass_shards import mips_with_good_shards, shard_above
from teravox.pipeline.layers.pyramid import NewMips, scales_above, with_scales
from teravox.pipeline.layers.shapes import clip, common, enlarge, say_size
from teravox.pipeline.units import say_bytes

PIECE = 1 << 27  # bytes of voxels; pieces that are larger than their mips need are no faster beyond this
BLOCK = 1 << 25  # bytes of voxels that are worked on at once; larger blocks cost page faults, and gain nothing


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; None leaves it to the planner."""

    mip: int
    new: NewMips
    method: Literal["average", "mode", "min", "max", "stride"]
    memory: int
    mips: int | None = None
    sparse: bool = False
    bounds: Box | None = None
    shape: Vec | None = None


class Pass(msgspec.Struct, frozen=True):
    """Which scales are made of a mip, and the grid of pieces: every chunk and shard of every scale lies in one piece."""

    made: MipsMade
    target: Layer  # with the scales that are made, whether its info has been written or not
    wish: Wish
    wanted: int  # mips, were there enough memory for one pass
    grid: Grid

    def block(self, size: Vec) -> Vec:
        """The size of the boxes in which a piece of a size is worked on: whole chunks of every scale."""
        return _block(self.made, self.wish, size)

    def blocks(self, piece: Box) -> Iterator[Box]:
        """The boxes in which a piece is worked on, one after another."""
        return self._blocks(piece, self.block(piece.size), self.made.nests)

    def _blocks(self, box: Box, block: Vec, nests: list[Nest]) -> Iterator[Box]:
        if not nests:
            yield from Grid(box, block)
        else:
            for part in Grid(box, nests[-1].size):
                yield from self._blocks(part, block, nests[:-1])

    def need(self, size: Vec) -> int:
        """The most bytes that a piece of a size takes."""
        return _need(self.made, self.wish, size)


@functools.lru_cache(maxsize=4)  # the memory of every piece is asked for by itself
def plan_pass(layer: Layer, wish: Wish) -> Pass:
    """The pass that makes as many of the mips asked for as fit in memory; the same before and after they are there.

    BadUsage says what to change where that is none, or fewer than `wish.mips`.
    """
    wanted = wish.mips or _mips_of_volume(layer.scale(wish.mip), wish.new)
    mips = wanted
    if wish.mips is None and _is_sharded(layer, wish):
        mips = min(wanted, mips_with_good_shards(layer, wish.mip, wish.new.factor))
    while True:
        try:
            return _cut(layer, wish, mips, wanted)
        except BadUsage:
            if wish.mips is not None or mips == 1:
                raise
            mips -= 1


def _cut(layer: Layer, wish: Wish, mips: int, wanted: int) -> Pass:
    made, raws = _scales(layer, wish, mips)
    units, whole = made.units, layer.bounds(wish.mip)
    bounds = _grow(wish.bounds, layer, wish.mip, units)
    least = wish.shape or units
    if any(n % unit and n < end for n, unit, end in zip(least, units, bounds.size, strict=True)):
        raise BadUsage(
            f"--shape: for {_mips(mips)}, pieces must be multiples of {say_size(units)} voxels, got {say_size(least)}; "
            f"else two of them would write one {'shard' if made.nests else 'chunk'}"
        )
    needed = _need(made, wish, clip(least, whole.size))
    if needed > wish.memory:
        fewer = "fewer --num-mips, or more" if mips > 1 else "more"
        raise BadUsage(
            f"{_mips(mips)} above mip {wish.mip} of {layer.url} take pieces of {say_size(clip(least, whole.size))} voxels, "
            f"which need {say_bytes(needed)}, and --memory allows {say_bytes(wish.memory)}: take {fewer} --memory"
        )
    shape = wish.shape or enlarge(
        units, bounds.size, lambda size: made.bytes_of(size) <= PIECE and _need(made, wish, size) <= wish.memory
    )
    return Pass(made, with_scales(layer, wish.mip, raws), wish, wanted, Grid(bounds, shape))


def _scales(layer: Layer, wish: Wish, mips: int) -> tuple[MipsMade, list[Json]]:
    """The scales of a pass; new ones are sharded if that was asked for, or if the mip below them is."""
    raws = scales_above(layer, wish.mip, mips, wish.new)
    first = min(len(layer.info.scales) - wish.mip - 1, mips)
    made = _made(layer, wish, raws)
    if _is_sharded(layer, wish) and first < mips:
        raws = shard_above(
            made, raws, first, wish.new.compress, wish.shape,
            lambda made: _need(made, wish, clip(wish.shape or made.units, made.source.size)) <= wish.memory,
        )  # fmt: skip
        made = _made(layer, wish, raws)
    return made, raws


def _is_sharded(layer: Layer, wish: Wish) -> bool:
    """Whether new mips are; also true when they have been made."""
    return layer.info.scales[-1].sharding is not None if wish.new.sharded is None else wish.new.sharded


def _made(layer: Layer, wish: Wish, raws: list[Json]) -> MipsMade:
    return MipsMade(layer, wish.mip, wish.new.factor, msgspec.convert(raws, tuple[Scale, ...]))


def _need(made: MipsMade, wish: Wish, size: Vec) -> int:
    return bytes_needed(made, wish.method, size, _block(made, wish, size), sparse=wish.sparse)


def _block(made: MipsMade, wish: Wish, size: Vec) -> Vec:
    """As large as pays and as memory allows; where possible, it also ends between chunks of the mip that is read."""
    inner = clip(made.nests[0].size, size) if made.nests else size

    def fits(block: Vec) -> bool:
        return bytes_needed(made, wish.method, size, block, sparse=wish.sparse) <= wish.memory

    least = clip(made.chunks, inner)
    both = clip(common([made.chunks, made.source.chunk], (1, 1, 1)), inner)
    start = both if fits(both) else least
    return clip(enlarge(start, inner, lambda block: made.bytes_of(block) <= BLOCK and fits(block)), inner)


def _mips_of_volume(scale: Scale, new: NewMips) -> int:
    """How many mips there are until one chunk covers the volume in x and y; at least 1."""
    factor, chunk = new.factor, new.chunk_size or scale.chunk
    axes = [axis for axis in (0, 1) if factor[axis] > 1] or [2]
    mips = 1
    while any(-(-scale.size[a] // factor[a] ** mips) > chunk[a] for a in axes):
        mips += 1
    return mips


def _grow(bounds: Box | None, layer: Layer, mip: int, units: Vec) -> Box:
    """The bounds asked for, grown to whole chunks and shards of all scales that are made."""
    whole = layer.bounds(mip)
    if bounds is None:
        return whole
    inside = bounds.intersect(whole)
    if inside.is_empty:
        raise BadUsage(f"--bounds: {bounds} lies outside of mip {mip} of {layer.url}, which is {whole}")
    low, high = [], []
    for a, b, start, step in zip(inside.min, inside.max, whole.min, units, strict=True):
        low.append(start + (a - start) // step * step)
        high.append(start - (start - b) // step * step)
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).intersect(whole)


def _mips(count: int) -> str:
    return "1 mip" if count == 1 else f"{count} mips"
