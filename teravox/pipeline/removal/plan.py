"""Which chunks of which mips are to be removed, and what stays of the info."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_grid import align_outward, is_aligned
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.sharding.spec import parse_spec
from teravox.pipeline.removal.part import Part

TOGETHER = (16, 16, 16)  # chunks of a piece


class Parts(Sequence[Part]):
    """The parts of some mips, one mip after another; lazy."""

    def __init__(self, grids: Sequence[tuple[str, Grid]]) -> None:
        self._grids = grids

    def __len__(self) -> int:
        return sum(len(grid) for _, grid in self._grids)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        for key, grid in self._grids:
            if 0 <= at < len(grid):
                return Part(key, grid[at])
            at -= len(grid)
        raise IndexError(index)


def parts_of(layer: Layer, first: int, count: int, bounds: Box | None) -> Parts:
    """What is to be removed; BadUsage where a mip would be left that is made of it, or a part of a chunk."""
    last = first + count - 1
    mips = len(layer.info.scales)
    layer.scale(first)
    if last >= mips:
        raise BadUsage(
            f"--num-mips: from mip {first} up, {layer.url} has {mips - first}, and {count} are to be removed"
        )
    if bounds is None:
        above = mips - 1 - last
        if above:
            raise BadUsage(
                f"--num-mips: above mip {last} of {layer.url} there is mip {last + 1}, and a layer has no gaps: remove all "
                f"from mip {first} up by --num-mips {count + above}, or give --bounds, which leaves the info as it is"
            )
    elif count > 1:
        raise BadUsage("--bounds: it is in voxels of --mip, so it takes one mip at a time; leave --num-mips out")
    else:
        _check_whole(layer, first, bounds)
    grids = []
    for mip in range(first, last + 1):
        scale = layer.scale(mip)
        x, y, z = (n * c for n, c in zip(TOGETHER, scale.chunk, strict=True))
        grids.append((scale.key, Grid(bounds or scale.bounds, (x, y, z))))
    return Parts(grids)


def keys_of(layer: Layer, part: Part) -> list[str]:
    """The chunks or shards of a part; none where its scale has gone from the info already."""
    for mip, scale in enumerate(layer.info.scales):
        if scale.key == part.scale:
            return layer.keys(part.box, mip)
    return []


def say_removal(layer: Layer, parts: Parts, first: int, count: int, bounds: Box | None) -> str:
    """What is going to be lost, as sentences."""
    mips = f"mip {first}" if count == 1 else f"mips {first} to {first + count - 1}"
    what = f"all of {mips}" if bounds is None else f"{bounds} of {mips}"
    unit = "shard" if any(scale.sharding for scale in layer.info.scales[first : first + count]) else "chunk"
    number = sum(_count(layer, mip, bounds) for mip in range(first, first + count))
    how_many = f"one {unit}," if number == 1 else f"up to {number:,} {unit}s,"
    ends = dict.fromkeys([keys_of(layer, parts[0])[0], keys_of(layer, parts[len(parts) - 1])[-1]])
    gone = list(_gone(layer, first, bounds))
    left = "mip 0" if gone[:1] == [1] else f"mips 0 to {gone[0] - 1}" if gone else ""
    info = f" Its info will have {left} only." if gone else ""
    if bounds is None and not first:
        info = " Its info will have mip 0 only, without any data."
    return f"This removes from {layer.url}, for ever: {what}, {how_many} {' to '.join(ends)}.{info}"


def shorten_info(layer: Layer, first: int, bounds: Box | None) -> None:
    """Take the mips that are gone out of the info, whole mips only, and never mip 0; safe to repeat."""
    gone = list(_gone(layer, first, bounds))
    if gone:
        raw = layer.raw
        raw["scales"] = raw["scales"][: gone[0]]
        layer.write_info(raw)


def _gone(layer: Layer, first: int, bounds: Box | None) -> Iterator[int]:
    return iter(()) if bounds is not None else iter(range(max(1, first), len(layer.info.scales)))


def _count(layer: Layer, mip: int, bounds: Box | None) -> int:
    """How many chunks or shards there can be."""
    scale = layer.scale(mip)
    chunks = len(Grid(bounds or scale.bounds, scale.chunk))
    return chunks if scale.sharding is None else min(chunks, parse_spec(scale.sharding, layer.place(mip)).shards)


def _check_whole(layer: Layer, mip: int, bounds: Box) -> None:
    """Raise BadUsage unless bounds are made of whole chunks, or whole shards."""
    scale, whole, unit = layer.scale(mip), layer.bounds(mip), layer.unit(mip)
    if bounds.intersect(whole) != bounds:
        raise BadUsage(f"--bounds: {bounds} does not lie within {layer.place(mip)}, which is {whole}")
    if not is_aligned(scale, bounds, unit):
        units = "chunks" if scale.sharding is None else "shards"
        grown = align_outward(scale, bounds, unit).intersect(whole)
        raise BadUsage(
            f"--bounds: {bounds} cuts through {units} of {layer.place(mip)}, which are of {','.join(map(str, unit))} voxels; "
            f"those that it touches are {grown}"
        )
