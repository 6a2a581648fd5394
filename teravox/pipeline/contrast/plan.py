"""How one mip of an image is made anew in a layer of its own: the scale, the pieces, and the parts of a piece."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.contrast.grey import cut_bounds
from teravox.pipeline.layers import one_mip
from teravox.pipeline.layers.chunk_grid import align_outward
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info
from teravox.pipeline.layers.one_mip import Wish, check_memory, check_shape, plan_scale
from teravox.pipeline.layers.shapes import clip, enlarge

GROWN = 1 << 27  # bytes of voxels; parts that are larger are no faster

Need = Callable[[Vec, Scale], int]  # the bytes that making a part of a size takes, and holding back shards


class Plan(one_mip.Plan, frozen=True):
    """How the layer is made: each piece in parts of whole chunks, one after another."""

    part: Vec

    def parts(self, piece: Box) -> Grid:
        return Grid(piece, self.part)


def plan_image(layer: Layer, wish: Wish, data_type: str, need: Need, grows_along: tuple[tuple[int, ...], ...]) -> Plan:
    """The same for the same wish and source; BadUsage says what cannot be meant.

    `grows_along` are the axes along which parts grow first, then the next ones.
    """
    raw = _new_info(layer, wish, data_type)
    scale = msgspec.convert(raw["scales"][0], Scale)
    unit = unit_of(scale, f"mip 0 of layer {wish.dest}")
    bounds = align_outward(scale, cut_bounds(layer, wish.mip, wish.bounds), unit).intersect(scale.bounds)
    shape = wish.shape or (unit if wish.sharded else None)
    check_shape(shape, scale, unit, bounds.size)
    inside = bounds.size if shape is None else clip(shape, bounds.size)
    step = _step(layer.scale(wish.mip).chunk, scale.chunk, inside)
    least = clip(step, inside)
    check_memory(least, need(least, scale), wish)
    voxel = layer.info.num_channels * max(itemsize(layer.info.data_type), itemsize(data_type))

    def fits(size: Vec) -> bool:
        return math.prod(size) * voxel <= GROWN and need(size, scale) <= wish.memory_limit

    part = step
    for axes in grows_along:
        part = enlarge(part, inside, fits, axes)
        if any(part[axis] < inside[axis] for axis in axes):
            break
    return Plan(layer, raw, scale, Grid(bounds, shape or part), part)


def _new_info(layer: Layer, wish: Wish, data_type: str) -> Json:
    channels = layer.info.num_channels
    raw = plan_scale(layer, wish, layer.bounds(wish.mip), voxel_bytes=channels * itemsize(data_type))
    return new_info(type="image", data_type=data_type, channels=channels, scales=[raw])


def _step(source: Vec, dest: Vec, inside: Vec) -> Vec:
    """The least part: whole chunks of the source too, where they fit together well, so that none is decoded twice."""
    step = [math.lcm(s, d) for s, d in zip(source, dest, strict=True)]
    x, y, z = (n if n <= max(i, d) else d for n, d, i in zip(step, dest, inside, strict=True))
    return (x, y, z)


def itemsize(data_type: str) -> int:
    """The bytes of a voxel of a grey image."""
    return {"uint8": 1, "uint16": 2}[data_type]
