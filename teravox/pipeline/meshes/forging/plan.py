"""How a forge of meshes cuts a volume into pieces and cells."""

from __future__ import annotations

import math
from typing import NamedTuple

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forging.memory import fixed_bytes, planned_bytes, surface_bytes
from teravox.pipeline.objects.forging.cut import (
    check_layer,
    check_memory,
    check_sizes,
    choose_bounds,
    choose_shape,
    say_size,
)
from teravox.pipeline.objects.forging.frame import Frame, frame_of
from teravox.pipeline.objects.sort import MESH

LEAST_CELL = 224  # voxels of the largest axis of a cell, unless --cell is given


class Wish(NamedTuple):
    """What somebody asked for, as far as pieces depend on it."""

    mip: int
    bounds: Box | None
    shape: Vec | None
    cell: Vec | None
    memory: int
    fill_holes: bool
    open_edge: bool

    @property
    def border(self) -> int:
        """Voxels of background around the bounds, so that surfaces are closed there."""
        return 0 if self.open_edge else 1


class Plan(NamedTuple):
    """The volume and its pieces."""

    layer: Layer
    wish: Wish
    bounds: Box
    shape: Vec
    cell: Vec

    @property
    def grid(self) -> Grid:
        return Grid(self.bounds, self.shape)

    def frame(self, piece: Box) -> Frame:
        """The voxels between whose centers a piece has its surfaces."""
        return frame_of(piece, self.bounds, border=self.wish.border)

    def memory(self, piece: Box) -> int:
        """The most that a piece takes: what its surfaces can take at most, or what there is."""
        size = self.frame(piece).around.size
        fixed = fixed_bytes(self.layer, self.wish.mip, size, fill_holes=self.wish.fill_holes)
        return min(self.wish.memory, fixed + surface_bytes(math.prod(size)))

    def room(self, piece: Box) -> int:
        """What of a piece's memory is left for its surfaces."""
        size = self.frame(piece).around.size
        return self.memory(piece) - fixed_bytes(self.layer, self.wish.mip, size, fill_holes=self.wish.fill_holes)


def plan_forge(layer: Layer, wish: Wish) -> Plan:
    """The pieces; BadUsage says what of the wish cannot be."""
    check_layer(layer, wish.mip, MESH)
    bounds = choose_bounds(layer, wish.mip, wish.bounds)
    check_sizes(shape=wish.shape, cell=wish.cell)

    def needs(piece: Box) -> int:
        size = frame_of(piece, bounds, border=wish.border).around.size
        return planned_bytes(layer, wish.mip, size, fill_holes=wish.fill_holes)

    unit = wish.cell or layer.scale(wish.mip).chunk
    shape = wish.shape or choose_shape(
        bounds, unit, lambda piece: needs(piece) <= wish.memory, may_cut=wish.cell is None
    )
    cell = wish.cell or _choose_cell(shape)
    if any(n % c for n, c in zip(shape, cell, strict=True)):
        raise BadUsage(
            f"--cell: pieces of {say_size(shape)} voxels are not whole cells of {say_size(cell)}; "
            "choose --shape as a multiple of --cell"
        )
    plan = Plan(layer, wish, bounds, shape, cell)
    first = plan.grid[0]
    check_memory(shape, math.prod(plan.frame(first).around.size), needs(first), wish.memory)
    return plan


def _choose_cell(shape: Vec) -> Vec:
    """The shape, halved as long as it stays large."""
    cell = shape
    while all(n % 2 == 0 for n in cell) and max(cell) // 2 >= LEAST_CELL:
        cell = (cell[0] // 2, cell[1] // 2, cell[2] // 2)
    return cell
