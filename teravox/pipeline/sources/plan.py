"""How a source becomes a layer: the info as it is to be, the pieces that fill it, and the parts in which one is read."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_memory import A_CHUNK, COPIES, growth_of
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.encoding import packing_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.new_layer import shard_scale
from teravox.pipeline.layers.shapes import clip, say_size
from teravox.pipeline.sources.cut import choose_shape, reading
from teravox.pipeline.sources.target import Target
from teravox.pipeline.sources.volume import Volume
from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES
from teravox.pipeline.storage.urls import is_local, normalize
from teravox.pipeline.units import say_bytes

OFTEN = 3.0  # times that a source is read: beyond that somebody should know it


class Costs(msgspec.Struct, frozen=True):
    """What the memory of a piece is made of, in bytes."""

    spare: int  # as long as the source is open
    turn: int  # for each thread that reads
    voxel: int  # of the layer
    lanes: int  # threads that read
    encoding: int  # of the chunks of a part, on their way
    growth: float  # of chunks in shards, against their voxels
    copies: int  # of a shard, while it is put together

    def of(self, part: Vec, shard: Vec | None, chunk: Vec) -> int:
        """Of reading and writing a part, while a shard is collected."""
        total: float = self.spare + math.prod(part) * self.voxel + max(self.lanes * self.turn, self.encoding)
        total += A_CHUNK * math.prod(-(-n // c) for n, c in zip(shard or part, chunk, strict=True))
        if shard is not None:
            total += self.copies * math.prod(shard) * self.voxel * self.growth
        return math.ceil(total)


class Plan(msgspec.Struct, frozen=True):
    """What follows from a source and a wish alone, so that it is the same before and after the layer is there."""

    raw: Json
    scale: Scale
    offset: Vec  # of the source's first voxel, in voxels of the layer
    grid: Grid
    part: Vec  # in what a piece is read
    costs: Costs
    said: tuple[str, ...]  # what was chosen for the user, as sentences

    def memory(self, piece: Box) -> int:
        """The most bytes that a piece needs."""
        part = clip(self.part, piece.size)
        return self.costs.of(part, piece.size if self.scale.sharding is not None else None, self.scale.chunk)


def make_plan(
    volume: Volume, target: Target, dest: str, *, memory: int, shape: Vec | None, sharded: bool, compress: str
) -> Plan:
    """The plan; BadUsage where --memory or --shape do not allow one."""
    raw = dict(target.raw)
    costs = _costs(volume, raw, dest, memory)
    if sharded:
        raw["scales"] = [_shard(raw["scales"][0], costs, memory, compress)]
    scale = msgspec.convert(raw["scales"][0], Scale)
    unit = unit_of(scale, f"scale {scale.key} of {dest}")
    whole = target.bounds.size
    if shape is not None and any(n < 1 or (n % u and n < w) for n, u, w in zip(shape, unit, whole, strict=True)):
        units = "shards" if sharded else "chunks"
        raise BadUsage(
            f"--shape: pieces must be multiples of {say_size(unit)} voxels, which are whole {units}; got {say_size(shape)}"
        )

    def fits(size: Vec) -> bool:
        return costs.of(size, None, scale.chunk) <= memory

    if sharded:
        piece = shape or unit
        box = clip(piece, whole)
        part = choose_shape(
            *(box, scale.chunk, volume.block, costs.voxel),
            lambda size: costs.of(size, box, scale.chunk) <= memory,
            volume.closest,
        )
    else:
        piece = part = shape or choose_shape(whole, scale.chunk, volume.block, costs.voxel, fits, volume.closest)
        box = clip(piece, whole)
    needed = costs.of(clip(part, box), box if sharded else None, scale.chunk)
    if needed > memory:
        raise BadUsage(
            f"--memory: a piece of {say_size(box)} voxels needs {say_bytes(needed)}, and {say_bytes(memory)} are allowed: "
            f"allow more, or take a smaller {'--shape or --chunk-size' if shape else '--chunk-size'}"
            + _say_blocks(volume, costs, memory)
        )
    said = (*target.said, *_say_often(volume, reading(part, whole, volume.block), sharded=sharded))
    return Plan(raw, scale, target.offset, Grid(target.bounds, piece), part, costs, said)


def _costs(volume: Volume, raw: Json, dest: str, memory: int) -> Costs:
    import numpy as np

    scale = raw["scales"][0]
    voxel = np.dtype(raw["data_type"]).itemsize * raw["num_channels"]
    chunk = math.prod(scale["chunk_sizes"][0]) * voxel
    local = is_local(normalize(dest))
    turn, spare = volume.turn_bytes(), LIBRARIES + volume.source.spare_bytes()
    lanes = max(1, min(volume.source.lanes, (memory - spare) // (4 * turn)))  # the rest is for the voxels
    return Costs(
        spare=spare,
        turn=turn,
        voxel=voxel,
        lanes=lanes,
        encoding=COPIES * chunk * (LOCAL_LANES if local else LANES),
        growth=growth_of(scale["encoding"]),
        copies=2 if local else 3,
    )


def _shard(scale: Json, costs: Costs, memory: int, compress: str) -> Json:
    """The same scale in shards, of which one and a part of it fit in memory."""
    chunk = scale["chunk_sizes"][0]
    chunk_bytes = math.prod(chunk) * costs.voxel
    part = costs.of((chunk[0], chunk[1], chunk[2]), None, (chunk[0], chunk[1], chunk[2]))
    most = int(max(0, memory - part) / (costs.copies * costs.growth) / 2)  # the other half is for large parts
    return shard_scale(
        scale,
        voxel_bytes=costs.voxel,
        most_bytes=max(most, chunk_bytes),
        packing=packing_of(compress, scale["encoding"]),
    )


def _say_often(volume: Volume, often: float, *, sharded: bool) -> list[str]:
    if often <= OFTEN:
        return []
    way = "leave out --sharded and shard the result with teravox shard image, or " if sharded else ""
    sentence = (
        f"{volume.source.place} can only be read in blocks of {say_size(volume.block)} voxels, so each of them is read about "
        f"{often:.0f} times; to be quicker, {way}allow more --memory or take flatter chunks with --chunk-size"
    )
    return [sentence]


def _say_blocks(volume: Volume, costs: Costs, memory: int) -> str:
    if costs.turn * 2 < memory:
        return ""
    return f"; what {volume.source.place} is read in takes {say_bytes(costs.turn)} alone, of {say_size(volume.block)} voxels"
