"""How a volume is cut into slabs of slices, and these into tiles, so that a slab fits in memory whatever its width."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.centres.options import Axis
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.label_tables.counting import least_memory
from teravox.pipeline.layers.chunk_grid import align_outward
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.shapes import clip, enlarge
from teravox.pipeline.units import say_bytes

LEAST = 100_000  # parts of slices that a task must have room for
POINT = 200  # bytes that a part takes besides while it is written as a point
MOST = 1 << 26  # voxels of a tile; larger ones are no faster


class Plan(msgspec.Struct, frozen=True):
    """What is looked at, and in which pieces."""

    layer: Layer
    mip: int
    axis: Axis  # that the slices lie across
    box: Box
    slabs: Grid
    tile: Vec
    room: int  # for parts of slices in a slab

    @property
    def along(self) -> int:
        return "xyz".index(self.axis)

    def tiles(self, slab: Box) -> Grid:
        """The tiles of a slab, in the order in which they are taken; those at its sides reach beyond it."""
        around = align_outward(self.layer.scale(self.mip), slab, self.tile)
        low, high = (
            _replaced(a, self.along, b[self.along]) for a, b in ((around.min, slab.min), (around.max, slab.max))
        )
        return Grid(Box(low, high), self.tile)

    def index(self, slab: Box) -> int:
        start = self.slabs.bounds.min[self.along]
        return (slab.min[self.along] - start) // self.slabs.shape[self.along]


def make_plan(
    layer: Layer,
    mip: int,
    axis: Axis,
    bounds: Box | None,
    slices: int | None,
    memory: int,
    *,
    with_points: bool = False,
) -> Plan:
    """The slabs of a volume; BadUsage names the option that cannot be meant."""
    from teravox.kernels.slice_parts import PART

    _check(layer)
    part_bytes = PART + POINT if with_points else PART
    scale, along = layer.scale(mip), "xyz".index(axis)
    box = scale.bounds if bounds is None else bounds.intersect(scale.bounds)
    if box.is_empty:
        raise BadUsage(f"--bounds: {bounds} lies outside of {layer.place(mip)}, which is {scale.bounds}")
    thick = _replaced(scale.chunk, along, slices or scale.chunk[along])
    whole = _replaced(align_outward(scale, box).size, along, thick[along])

    def bytes_of(tile: Vec) -> int:
        voxels = math.prod(clip(tile, scale.bounds.size)) * (2 * layer.info.itemsize + 13)
        columns = max(n for axis, n in enumerate(box.size) if axis != along)
        return least_memory(layer, mip, Box((0, 0, 0), tile)) + voxels + 40 * thick[along] * columns

    least = bytes_of(thick) + LEAST * part_bytes
    if memory < least:
        raise BadUsage(
            f"--memory: {say_bytes(memory)} are too little for {thick[along]} slices of the chunks of {layer.place(mip)}; "
            f"give it {say_bytes(least)} or more, or fewer --slices"
        )
    most = bytes_of(thick) + (memory - least) // 2
    tile = enlarge(thick, whole, lambda shape: bytes_of(shape) <= most and math.prod(shape) <= MOST, (0, 1, 2))
    slabs = _slabs(align_outward(scale, box), box, along, thick[along], aligned=slices is None)
    return Plan(layer, mip, axis, box, slabs, tile, (memory - bytes_of(tile)) // part_bytes)


def _slabs(around: Box, box: Box, along: int, slices: int, *, aligned: bool) -> Grid:
    """Slabs that begin with chunks, unless somebody says how thick they are."""
    start = around.min[along] if aligned else box.min[along]
    bounds = Box(_replaced(box.min, along, start), box.max)
    return Grid(bounds, _replaced(bounds.size, along, slices))


def _replaced(vec: Vec, axis: int, value: int) -> Vec:
    x, y, z = (value if at == axis else n for at, n in enumerate(vec))
    return (x, y, z)


def _check(layer: Layer) -> None:
    if layer.info.data_type.startswith("float"):
        raise BadUsage(f"{layer.url} holds {layer.info.data_type}, and labels are whole numbers")
    if layer.info.num_channels != 1:
        raise BadUsage(f"{layer.url} has {layer.info.num_channels} channels, and labels have one")
