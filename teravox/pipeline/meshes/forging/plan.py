"""How a forge cuts a volume into pieces, and what is refused before it begins."""

from __future__ import annotations

import math
from typing import NamedTuple

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forging.memory import fixed_bytes, planned_bytes, surface_bytes
from teravox.pipeline.units import say_bytes

LARGEST = 512  # voxels along an axis, unless --shape is given
SMALLEST = 32
FAR = 1 << 30  # half voxels beyond do not fit in 32 bits
LEAST_CELL = 224  # voxels of the largest axis of a cell, unless --cell is given
MOST_VOXELS = 1 << 31


class Wish(NamedTuple):
    """What somebody asked for, as far as pieces depend on it."""

    mip: int
    bounds: Box | None
    shape: Vec | None
    cell: Vec | None
    memory: int
    fill_holes: bool
    open_edge: bool


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
        return frame_of(piece, self.bounds, open_edge=self.wish.open_edge)

    def memory(self, piece: Box) -> int:
        """The most that a piece takes: what its surfaces can take at most, or what there is."""
        size = self.frame(piece).around.size
        fixed = fixed_bytes(self.layer, self.wish.mip, size, fill_holes=self.wish.fill_holes)
        return min(self.wish.memory, fixed + surface_bytes(math.prod(size)))

    def room(self, piece: Box) -> int:
        """What of a piece's memory is left for its surfaces."""
        size = self.frame(piece).around.size
        return self.memory(piece) - fixed_bytes(self.layer, self.wish.mip, size, fill_holes=self.wish.fill_holes)


class Frame(NamedTuple):
    """The voxels between whose centers a piece has its surfaces."""

    around: Box  # with a border of background where the surface is closed
    inside: Box  # what there is to read
    inner_low: tuple[bool, bool, bool]  # whether another piece begins there, by axis
    inner_high: tuple[bool, bool, bool]


def frame_of(piece: Box, bounds: Box, *, open_edge: bool) -> Frame:
    """A piece with one voxel more at its upper sides; at the bounds that one is background, on both sides, unless it is open."""
    low = [a > b for a, b in zip(piece.min, bounds.min, strict=True)]
    high = [a < b for a, b in zip(piece.max, bounds.max, strict=True)]
    inside = Box(piece.min, _vec([end + inner for end, inner in zip(piece.max, high, strict=True)]))
    border = 0 if open_edge else 1
    around = Box(
        _vec([start - border * (not inner) for start, inner in zip(inside.min, low, strict=True)]),
        _vec([end + border * (not inner) for end, inner in zip(inside.max, high, strict=True)]),
    )
    return Frame(around, inside, (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def plan_forge(layer: Layer, wish: Wish) -> Plan:
    """The pieces; BadUsage says what of the wish cannot be."""
    _check_layer(layer, wish.mip)
    whole = layer.bounds(wish.mip)
    bounds = whole if wish.bounds is None else wish.bounds.intersect(whole)
    if bounds.is_empty:
        raise BadUsage(f"--bounds: {wish.bounds} lies outside of {layer.place(wish.mip)}, which is {whole}")
    for option, size in (("--shape", wish.shape), ("--cell", wish.cell)):
        if size is not None and min(size) < 2:
            raise BadUsage(f"{option}: expected three numbers from 2 up, got {size}")
    shape = wish.shape or _choose_shape(layer, wish, bounds)
    cell = wish.cell or _choose_cell(shape)
    if any(n % c for n, c in zip(shape, cell, strict=True)):
        raise BadUsage(
            f"--cell: pieces of {_say(shape)} voxels are not whole cells of {_say(cell)}; choose --shape as a multiple of --cell"
        )
    plan = Plan(layer, wish, bounds, shape, cell)
    _check_memory(plan)
    return plan


def _check_layer(layer: Layer, mip: int) -> None:
    info, box = layer.info, layer.bounds(mip)
    if info.data_type.startswith("float"):
        raise BadUsage(f"{layer.url} holds {info.data_type}, and meshes are made of labels, which are whole numbers")
    if info.num_channels != 1:
        raise BadUsage(f"{layer.url} has {info.num_channels} channels, and meshes are made of one")
    if info.type != "segmentation":
        raise BadUsage(f"{layer.url} is of type {info.type}, and meshes are made of a segmentation")
    if not all(-FAR < n < FAR for n in (*box.min, *box.max)):
        raise BadUsage(f"{layer.place(mip)} is {box}, and meshes lie within {-FAR:,} and {FAR:,} voxels on each axis")


def _check_memory(plan: Plan) -> None:
    wish, size = plan.wish, plan.frame(plan.grid[0]).around.size
    if math.prod(size) >= MOST_VOXELS:
        raise BadUsage(
            f"--shape: a piece of {_say(plan.shape)} has {math.prod(size):,} voxels; choose fewer than {MOST_VOXELS:,}"
        )
    need = planned_bytes(plan.layer, wish.mip, size, fill_holes=wish.fill_holes)
    if need > wish.memory:
        raise BadUsage(
            f"--memory: a piece of {_say(plan.shape)} voxels needs {say_bytes(need)}, and {say_bytes(wish.memory)} are given; "
            "choose a smaller --shape, or give more"
        )


def _choose_shape(layer: Layer, wish: Wish, bounds: Box) -> Vec:
    """Up to LARGEST along each axis, in whole cells or chunks, halved along the largest axis until it fits."""
    chunk = layer.scale(wish.mip).chunk
    unit = _vec([n if n <= LARGEST else 1 for n in wish.cell or chunk])
    if wish.cell is not None and max(wish.cell) > LARGEST:
        unit = wish.cell
    shape = _vec([max(LARGEST // n, 1) * n for n in unit])
    while True:
        piece = Box(bounds.min, _vec([a + n for a, n in zip(bounds.min, shape, strict=True)])).intersect(bounds)
        size = frame_of(piece, bounds, open_edge=wish.open_edge).around.size
        if planned_bytes(layer, wish.mip, size, fill_holes=wish.fill_holes) <= wish.memory:
            return shape
        smaller = _halve(shape, unit, piece.size, may_cut=wish.cell is None)
        if smaller is None:
            return shape  # which does not fit, as is said then
        shape = smaller


def _halve(shape: Vec, unit: Vec, size: Vec, *, may_cut: bool) -> Vec | None:
    """About half of a shape; None where it would be too small."""
    for axis in sorted((0, 1, 2), key=lambda axis: -size[axis]):
        half = shape[axis] // 2
        if half >= unit[axis]:
            half -= half % unit[axis]
        elif not may_cut or half < SMALLEST:
            continue
        x, y, z = (half if a == axis else n for a, n in enumerate(shape))
        return (x, y, z)
    return None


def _choose_cell(shape: Vec) -> Vec:
    """The shape, halved as long as it stays large."""
    cell = shape
    while all(n % 2 == 0 for n in cell) and max(cell) // 2 >= LEAST_CELL:
        cell = (cell[0] // 2, cell[1] // 2, cell[2] // 2)
    return cell


def _vec(numbers: list[int]) -> Vec:
    x, y, z = numbers
    return (x, y, z)


def _say(size: Vec) -> str:
    return ",".join(map(str, size))
