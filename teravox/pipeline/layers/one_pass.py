"""How one pass over a layer makes the mips above it: how many at once, in pieces of what shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.pyramid import above_box, alignment, scales_above
from teravox.pipeline.units import say_bytes

GROWN = 1 << 27  # bytes of voxels; pieces that are larger than their mips need are no faster beyond this

Need = Callable[[Vec, tuple[Scale, ...]], int]  # the bytes that a piece of a size needs to make these scales


class Pass(msgspec.Struct, frozen=True):
    """Which scales are made of a mip, and the grid of pieces: every chunk of every scale lies in one piece."""

    layer: Layer
    mip: int
    factor: Vec
    above: tuple[Scale, ...]
    wanted: int  # mips, were there enough memory for one pass
    grid: Grid

    def results(self, piece: Box) -> Iterator[tuple[int, Scale, Box]]:
        """The mips that a piece makes, and its box in each."""
        below = self.layer.bounds(self.mip)
        for step, scale in enumerate(self.above, start=1):
            yield self.mip + step, scale, above_box(piece, below, scale.bounds, self.factor, step)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; None leaves it to the planner."""

    mip: int
    factor: Vec
    mips: int | None
    encoding: str | None
    bounds: Box | None
    shape: Vec | None
    memory: int


def plan_pass(layer: Layer, wish: Wish, need: Need) -> Pass:
    """The pass that makes as many of the mips asked for as fit in memory; the same before and after they are there.

    BadUsage says what to change where that is none, or fewer than `wish.mips`.
    """
    wanted = wish.mips or _mips_of_volume(layer.scale(wish.mip), wish.factor)
    mips = wanted
    while True:
        try:
            return _cut(layer, wish, mips, wanted, need)
        except BadUsage:
            if wish.mips is not None or mips == 1:
                raise
            mips -= 1


def _cut(layer: Layer, wish: Wish, mips: int, wanted: int, need: Need) -> Pass:
    raw = scales_above(layer, wish.mip, wish.factor, mips, wish.encoding)
    above = msgspec.convert(raw, tuple[Scale, ...])
    align = alignment([scale.chunk for scale in above], wish.factor)
    bounds = _grow(wish.bounds, layer, wish.mip, align)
    least = wish.shape or align
    if any(n % a and n < whole for n, a, whole in zip(least, align, bounds.size, strict=True)):
        raise BadUsage(
            f"--shape: for {_mips(mips)}, pieces must be multiples of {_say(align)} voxels, got {_say(least)}; "
            "else two of them would write one chunk"
        )
    needed = need(_clip(least, bounds.size), above)
    if needed > wish.memory:
        fewer = "fewer --num-mips, or more" if mips > 1 else "more"
        raise BadUsage(
            f"{_mips(mips)} above mip {wish.mip} of {layer.url} take pieces of {_say(_clip(least, bounds.size))} voxels, "
            f"which need {say_bytes(needed)}, and --memory allows {say_bytes(wish.memory)}: take {fewer} --memory"
        )
    shape = wish.shape or _enlarge(align, bounds.size, layer, above, wish.memory, need)
    return Pass(layer, wish.mip, wish.factor, above, wanted, Grid(bounds, shape))


def _mips_of_volume(scale: Scale, factor: Vec) -> int:
    """How many mips there are until one chunk covers the volume in x and y; at least 1."""
    axes = [axis for axis in (0, 1) if factor[axis] > 1] or [2]
    mips = 1
    while any(-(-scale.size[a] // factor[a] ** mips) > scale.chunk[a] for a in axes):
        mips += 1
    return mips


def _grow(bounds: Box | None, layer: Layer, mip: int, align: Vec) -> Box:
    """The bounds asked for, grown to whole chunks of all scales that are made."""
    whole = layer.bounds(mip)
    if bounds is None:
        return whole
    inside = bounds.intersect(whole)
    if inside.is_empty:
        raise BadUsage(f"--bounds: {bounds} lies outside of mip {mip} of {layer.url}, which is {whole}")
    low, high = [], []
    for a, b, start, step in zip(inside.min, inside.max, whole.min, align, strict=True):
        low.append(start + (a - start) // step * step)
        high.append(start - (start - b) // step * step)
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).intersect(whole)


def _enlarge(shape: Vec, whole: Vec, layer: Layer, above: tuple[Scale, ...], memory: int, need: Need) -> Vec:
    """The shape, doubled along its shortest side as long as that pays and fits."""
    while True:
        open_axes = [axis for axis in (2, 1, 0) if shape[axis] < whole[axis]]
        if not open_axes:
            return shape
        longer = min(open_axes, key=lambda axis: shape[axis])
        x, y, z = (n * 2 if axis == longer else n for axis, n in enumerate(shape))
        cx, cy, cz = _clip((x, y, z), whole)
        size = cx * cy * cz * layer.info.num_channels * layer.dtype.itemsize
        if size > GROWN or need((cx, cy, cz), above) > memory:
            return shape
        shape = (x, y, z)


def _clip(shape: Vec, whole: Vec) -> Vec:
    x, y, z = map(min, shape, whole)
    return (x, y, z)


def _mips(count: int) -> str:
    return "1 mip" if count == 1 else f"{count} mips"


def _say(numbers: Vec) -> str:
    return ",".join(map(str, numbers))
