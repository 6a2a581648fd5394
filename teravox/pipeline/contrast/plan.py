"""How one mip of an image is made anew in a layer of its own: the scale, the pieces, and the parts of a piece."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.contrast.grey import cut_bounds
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.chunk_grid import align_outward
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_info
from teravox.pipeline.layers.one_mip import Wish, check_shape, plan_scale
from teravox.pipeline.layers.shapes import clip, say_size
from teravox.pipeline.units import say_bytes

GROWN = 1 << 27  # bytes of voxels; parts that are larger are no faster

Need = Callable[[Vec, Scale], int]  # the bytes that making a part of a size takes, and holding back shards


class Plan(msgspec.Struct, frozen=True):
    """The info of the new layer, and the pieces; each is made in parts of whole chunks, one after another."""

    layer: Layer
    raw: Json
    scale: Scale
    grid: Grid
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
    least = need(clip(step, inside), scale)
    if least > wish.memory_limit:
        raise BadUsage(
            f"making {say_size(clip(step, inside))} voxels of {wish.dest} needs {say_bytes(least)}, and --memory allows "
            f"{say_bytes(wish.memory_limit)}: give it more --memory, or take smaller chunks by --chunk-size"
        )
    voxel = layer.info.num_channels * max(itemsize(layer.info.data_type), itemsize(data_type))

    def fits(size: Vec) -> bool:
        return math.prod(size) * voxel <= GROWN and need(size, scale) <= wish.memory_limit

    part = _enlarge(step, inside, fits, grows_along)
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


def _enlarge(shape: Vec, whole: Vec, fits: Callable[[Vec], bool], grows_along: tuple[tuple[int, ...], ...]) -> Vec:
    """The shape, doubled along the shortest of its first axes as long as that fits, then of the next ones."""
    for axes in grows_along:
        while open_axes := [axis for axis in axes if shape[axis] < whole[axis]]:
            longer = min(open_axes, key=lambda axis: shape[axis])
            x, y, z = (n * 2 if axis == longer else n for axis, n in enumerate(shape))
            if not fits(clip((x, y, z), whole)):
                return shape
            shape = (x, y, z)
    return shape


def itemsize(data_type: str) -> int:
    """The bytes of a voxel of a grey image."""
    return {"uint8": 1, "uint16": 2}[data_type]
