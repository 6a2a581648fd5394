"""The layer that reordered slices go to, and the pieces in which it is written."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info
from teravox.pipeline.layers.one_mip import Wish, check_shape, plan_scale, shard_bytes
from teravox.pipeline.layers.shapes import clip, say_size
from teravox.pipeline.units import say_bytes

GROWN = 1 << 27  # bytes of voxels; larger pieces are no faster, unless they decode fewer chunks


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
    check_shape(wish.shape, scale, unit, whole)
    least = wish.shape or unit
    needed = bytes_needed(source, wish.mip, clip(least, whole), scale, wish.dest)
    if needed > wish.memory_limit:
        raise BadUsage(
            f"{say_size(clip(least, whole))} voxels need {say_bytes(needed)}, and --memory allows {say_bytes(wish.memory_limit)}: "
            "give it more --memory, or take smaller chunks by --chunk-size"
        )
    info = source.info
    voxel = info.num_channels * source.info.itemsize

    def fits(size: Vec, most: int) -> bool:
        size = clip(size, whole)
        is_small = math.prod(size) * voxel <= most
        return is_small and bytes_needed(source, wish.mip, size, scale, wish.dest) <= wish.memory_limit

    shape = wish.shape
    if shape is None:
        x, y, z = unit
        most = GROWN if source.scale(wish.mip).chunk[2] == 1 else wish.memory_limit
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
    voxel = source.info.num_channels * source.info.itemsize
    old = source.scale(mip)
    chunk = max(math.prod(old.chunk), math.prod(scale.chunk)) * voxel
    fetched = fetching_bytes(old, voxel, math.prod(size))
    held = shard_bytes(scale, dest, voxel)
    return math.ceil(LIBRARIES + math.prod(size) * voxel + COPIES * chunk * source.lanes + fetched + held)


def _new_scale(source: Layer, wish: Wish) -> Json:
    """The scale of the new layer, with the key and the resolution of the old one."""
    scale, whole = source.scale(wish.mip), source.bounds(wish.mip)
    bounds = whole if wish.bounds is None else wish.bounds
    if bounds.intersect(whole) != bounds:
        raise BadUsage(f"--bounds: {bounds} does not lie within {source.place(wish.mip)}, which is {whole}")
    voxel = source.info.num_channels * source.info.itemsize
    return plan_scale(source, wish, bounds, voxel_bytes=voxel, key=scale.key)
