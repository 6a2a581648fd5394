"""The layer that reordered slices go to, and the pieces in which it is written."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info
from teravox.pipeline.layers.one_mip import Plan, Wish, check_memory, check_shape, moving_bytes, plan_scale
from teravox.pipeline.layers.shapes import clip, enlarge

GROWN = 1 << 27  # bytes of voxels; larger pieces are no faster, unless they decode fewer chunks


def plan_reorder(source: Layer, wish: Wish) -> Plan:
    """How it is to be done; BadUsage says what cannot be meant.

    Pieces grow along z first: one that has all slices decodes each chunk of the source once, in whatever order.
    """
    raw = _new_scale(source, wish)
    scale = msgspec.convert(raw, Scale)
    whole = scale.size
    unit = unit_of(scale, f"mip 0 of layer {wish.dest}")
    check_shape(wish.shape, scale, unit, whole)
    least = clip(wish.shape or unit, whole)
    check_memory(least, bytes_needed(source, wish.mip, least, scale, wish.dest), wish)
    info = source.info
    voxel = info.num_channels * source.info.itemsize

    def fits(size: Vec, most: int) -> bool:
        is_small = math.prod(size) * voxel <= most
        return is_small and bytes_needed(source, wish.mip, size, scale, wish.dest) <= wish.memory_limit

    shape = wish.shape
    if shape is None:
        most = GROWN if source.scale(wish.mip).chunk[2] == 1 else wish.memory_limit
        shape = enlarge(unit, whole, lambda size: fits(size, most), (2,))
        if shape[2] >= whole[2]:
            shape = enlarge(shape, whole, lambda size: fits(size, GROWN), (0, 1))
    layer = new_info(type=info.type, data_type=info.data_type, channels=info.num_channels, scales=[raw])
    return Plan(source, layer, scale, Grid(scale.bounds, shape))


def bytes_needed(source: Layer, mip: int, size: Vec, scale: Scale, dest: str) -> int:
    """The bytes that a piece takes."""
    voxel, voxels = source.info.num_channels * source.info.itemsize, math.prod(size)
    return moving_bytes(source, mip, scale, dest, voxel_bytes=voxel, voxels=voxels) + voxels * voxel


def _new_scale(source: Layer, wish: Wish) -> Json:
    """The scale of the new layer, with the key and the resolution of the old one."""
    scale, whole = source.scale(wish.mip), source.bounds(wish.mip)
    bounds = whole if wish.bounds is None else wish.bounds
    if bounds.intersect(whole) != bounds:
        raise BadUsage(f"--bounds: {bounds} does not lie within {source.place(wish.mip)}, which is {whole}")
    voxel = source.info.num_channels * source.info.itemsize
    return plan_scale(source, wish, bounds, voxel_bytes=voxel, key=scale.key)
