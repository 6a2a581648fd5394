"""The layer that the labels go to, and the pieces in which it is written."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info
from teravox.pipeline.layers.one_mip import Plan, Wish, check_memory, check_shape, moving_bytes, plan_scale
from teravox.pipeline.layers.shapes import clip, enlarge

GROWN = 1 << 26  # voxels; larger pieces are no faster
LOOKING_UP = 14  # bytes a voxel, besides the labels themselves


def plan_selection(source: Layer, wish: Wish) -> Plan:
    """How it is to be done; BadUsage says what cannot be meant."""
    info = source.info
    if info.data_type.startswith("float") or info.num_channels != 1:
        raise BadUsage(
            f"{source.url} holds {info.num_channels} x {info.data_type}, and labels are whole numbers, one a voxel"
        )
    whole = source.bounds(wish.mip)
    raw = plan_scale(source, wish, whole, voxel_bytes=info.itemsize, key=source.scale(wish.mip).key)
    scale = msgspec.convert(raw, Scale)
    unit = unit_of(scale, f"mip 0 of layer {wish.dest}")
    check_shape(wish.shape, scale, unit, whole.size)
    least = clip(wish.shape or unit, whole.size)
    check_memory(least, bytes_needed(source, wish.mip, least, scale, wish.dest), wish)

    def fits(shape: Vec) -> bool:
        size = clip(shape, whole.size)
        is_small = math.prod(size) <= GROWN
        return is_small and bytes_needed(source, wish.mip, size, scale, wish.dest) <= wish.memory_limit

    shape = wish.shape or enlarge(unit, whole.size, fits)
    layer = new_info(type="segmentation", data_type=info.data_type, channels=1, scales=[raw])
    return Plan(source, layer, scale, Grid(scale.bounds, shape))


def bytes_needed(source: Layer, mip: int, size: Vec, scale: Scale, dest: str) -> int:
    """The bytes that a piece takes, without the list of labels."""
    voxel, voxels = source.info.itemsize, math.prod(size)
    moved = moving_bytes(source, mip, scale, dest, voxel_bytes=voxel, voxels=voxels)
    return moved + voxels * (voxel + LOOKING_UP)
