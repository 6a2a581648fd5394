"""Which voxels of each mip a copy takes, and where they come to lie."""

from __future__ import annotations

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.transfer.wish import Wish


class Cut(msgspec.Struct, frozen=True):
    """A box of a mip of the source, and how far its voxels move."""

    mip: int
    box: Box
    shift: Vec

    @property
    def moved(self) -> Box:
        """Its place in the destination."""
        return self.box.shift(self.shift)


def cut_mips(wish: Wish, source: Layer) -> list[Cut]:
    """The cut-out of each mip that is copied; BadUsage where it is not within the volume, or falls between voxels."""
    first = _cut_first(wish, source)
    if not wish.all_mips:
        return [first]
    higher = range(wish.mip + 1, len(source.info.scales))
    return [first, *(_cut_higher(first, source, mip) for mip in higher)]


def _cut_first(wish: Wish, source: Layer) -> Cut:
    whole = source.bounds(wish.mip)
    box = wish.bounds or whole
    if box.intersect(whole) != box or box.is_empty:
        where = "lies outside of" if box.intersect(whole).is_empty else "reaches beyond"
        raise BadUsage(f"--bounds: {box} {where} {source.place(wish.mip)}, which is {whole}")
    if wish.offset is None:
        return Cut(wish.mip, box, wish.translate)
    x, y, z = (to - at for to, at in zip(wish.offset, box.min, strict=True))
    return Cut(wish.mip, box, (x, y, z))


def _cut_higher(first: Cut, source: Layer, mip: int) -> Cut:
    """The same cut-out at a higher mip, as if that had been downsampled from what was cut out and moved."""
    whole, below = source.bounds(mip), source.bounds(first.mip)
    if first.box == below and first.shift == (0, 0, 0):
        return Cut(mip, whole, (0, 0, 0))
    low, high, shift = [], [], []
    for axis, voxel in enumerate(_voxel(source, first.mip, mip)):
        begin, end = (corner[axis] - below.min[axis] for corner in (first.box.min, first.box.max))
        if begin % voxel:
            raise BadUsage(
                f"--bounds: {first.box} does not begin between voxels of mip {mip}, of which one is {voxel} of mip "
                f"{first.mip} along {'xyz'[axis]}; begin at a multiple of that from {below.min[axis]}, or leave --all-mips out"
            )
        low.append(whole.min[axis] + begin // voxel)
        high.append(min(whole.max[axis], whole.min[axis] - -end // voxel))
        begins = first.box.min[axis]
        shift.append((begins + first.shift[axis]) // voxel - begins // voxel)
    box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    if box.is_empty:
        raise BadUsage(
            f"--bounds: {first.box} lies outside of {source.place(mip)}, which is {whole}; leave --all-mips out"
        )
    return Cut(mip, box, (shift[0], shift[1], shift[2]))


def _voxel(source: Layer, below: int, mip: int) -> Vec:
    """The size of a voxel of a mip, in voxels of one below it."""
    fine, coarse = source.scale(below).resolution, source.scale(mip).resolution
    ratios = [large / small for large, small in zip(coarse, fine, strict=True)]
    x, y, z = (max(1, round(ratio)) for ratio in ratios)
    if any(abs(ratio - near) > 1e-6 * near for ratio, near in zip(ratios, (x, y, z), strict=True)):
        raise BadUsage(
            f"--all-mips: voxels of mip {mip} of {source.url} are no whole number of those of mip {below} long, "
            "so the pyramid can be copied whole, but neither cut out nor moved; transfer mip by mip"
        )
    return (x, y, z)
