"""The layer that the labels go to, and the pieces in which it is written."""

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
from teravox.pipeline.layers.shapes import clip, enlarge, say_size
from teravox.pipeline.units import say_bytes

GROWN = 1 << 26  # voxels; larger pieces are no faster
LOOKING_UP = 14  # bytes a voxel, besides the labels themselves


class Plan(msgspec.Struct, frozen=True):
    """The info of the new layer and the grid of its pieces; the same for the same wish and source."""

    source: Layer
    raw: Json
    scale: Scale
    grid: Grid


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
    needed = bytes_needed(source, wish.mip, least, scale, wish.dest)
    if needed > wish.memory_limit:
        raise BadUsage(
            f"{say_size(least)} voxels need {say_bytes(needed)}, and --memory allows {say_bytes(wish.memory_limit)}: "
            "give it more --memory, or take smaller chunks by --chunk-size"
        )

    def fits(shape: Vec) -> bool:
        size = clip(shape, whole.size)
        is_small = math.prod(size) <= GROWN
        return is_small and bytes_needed(source, wish.mip, size, scale, wish.dest) <= wish.memory_limit

    shape = wish.shape or enlarge(unit, whole.size, fits)
    layer = new_info(type="segmentation", data_type=info.data_type, channels=1, scales=[raw])
    return Plan(source, layer, scale, Grid(scale.bounds, shape))


def bytes_needed(source: Layer, mip: int, size: Vec, scale: Scale, dest: str) -> int:
    """The bytes that a piece takes, without the list of labels."""
    voxel, old = source.info.itemsize, source.scale(mip)
    chunk = max(math.prod(old.chunk), math.prod(scale.chunk)) * voxel
    fetched = fetching_bytes(old, voxel, math.prod(size))
    held = math.prod(size) * (voxel + LOOKING_UP) + shard_bytes(scale, dest, voxel)
    return math.ceil(LIBRARIES + held + COPIES * chunk * source.lanes + fetched)
