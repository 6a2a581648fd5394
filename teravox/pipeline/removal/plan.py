"""Which chunks of which mips are to be removed, and what stays of the info."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.chunk_grid import align_outward, chunk_key, chunks_of, is_aligned
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.shapes import common
from teravox.pipeline.layers.sharding.spec import parse_spec
from teravox.pipeline.removal.part import Part
from teravox.pipeline.storage.folders import remove_empty_folders

TOGETHER = (16, 16, 16)  # chunks of a piece


class Parts(Sequence[Part]):
    """The parts of some mips, one mip after another, and in each mip one size of chunks after another; lazy."""

    def __init__(self, grids: Sequence[tuple[str, Vec, Grid]]) -> None:
        self._grids = grids

    def __len__(self) -> int:
        return sum(len(grid) for *_, grid in self._grids)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        for key, chunk, grid in self._grids:
            if 0 <= at < len(grid):
                return Part(key, chunk, grid[at])
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
        for chunk in _chunk_sizes(layer, mip):
            x, y, z = (n * c for n, c in zip(TOGETHER, chunk, strict=True))
            grids.append((scale.key, chunk, Grid(bounds or scale.bounds, (x, y, z))))
    return Parts(grids)


def keys_of(layer: Layer, part: Part) -> list[str]:
    """The chunks or shards of a part; none where its scale has gone from the info already."""
    for mip, scale in enumerate(layer.info.scales):
        if scale.key != part.scale or part.chunk not in scale.chunk_sizes:
            continue
        if scale.sharding is not None:
            return layer.keys(part.box, mip)
        return [chunk_key(scale, chunk) for chunk in chunks_of(_of_size(scale, part.chunk), part.box)]
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
    """Take the mips that are gone out of the info, whole mips only, and never mip 0; safe to repeat.

    Their folders go, too, where nothing else lies in them.
    """
    gone = list(_gone(layer, first, bounds))
    for mip in gone:
        remove_empty_folders(layer.store, layer.scale(mip).key)
    if gone:
        layer.change_info(lambda raw: raw | {"scales": raw["scales"][: gone[0]]})


def _gone(layer: Layer, first: int, bounds: Box | None) -> Iterator[int]:
    return iter(()) if bounds is not None else iter(range(max(1, first), len(layer.info.scales)))


def _count(layer: Layer, mip: int, bounds: Box | None) -> int:
    """How many chunks or shards there can be."""
    scale = layer.scale(mip)
    chunks = sum(len(Grid(bounds or scale.bounds, chunk)) for chunk in _chunk_sizes(layer, mip))
    return chunks if scale.sharding is None else min(chunks, parse_spec(scale.sharding, layer.place(mip)).shards)


def _chunk_sizes(layer: Layer, mip: int) -> list[Vec]:
    """The sizes of chunks that a mip offers, each of which covers all of it; one where it is sharded."""
    scale = layer.scale(mip)
    sizes = list(dict.fromkeys(scale.chunk_sizes))
    if scale.sharding is not None and len(sizes) > 1:
        raise BadInput(
            f"{layer.place(mip)} is sharded and its info has {len(sizes)} chunk_sizes, of which nobody can say which one the "
            "shards hold: leave that one only in the info"
        )
    return sizes


def _of_size(scale: Scale, chunk: Vec) -> Scale:
    """The scale as if it offered chunks of one size only."""
    return msgspec.structs.replace(scale, chunk_sizes=(chunk,))


def _check_whole(layer: Layer, mip: int, bounds: Box) -> None:
    """Raise BadUsage unless bounds are made of whole chunks of every size, or of whole shards."""
    scale, whole = layer.scale(mip), layer.bounds(mip)
    sizes = _chunk_sizes(layer, mip)
    unit = layer.unit(mip) if scale.sharding is not None else common(sizes, (1, 1, 1))
    if bounds.intersect(whole) != bounds:
        raise BadUsage(f"--bounds: {bounds} does not lie within {layer.place(mip)}, which is {whole}")
    if not is_aligned(scale, bounds, unit):
        units = "chunks" if scale.sharding is None else "shards"
        said = " and ".join(",".join(map(str, size)) for size in ([unit] if scale.sharding is not None else sizes))
        grown = align_outward(scale, bounds, unit).intersect(whole)
        raise BadUsage(
            f"--bounds: {bounds} cuts through {units} of {layer.place(mip)}, which are of {said} voxels; "
            f"those that it touches are {grown}"
        )
