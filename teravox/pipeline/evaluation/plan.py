"""What is compared: the layers, the part that they share, and how it is cut into pieces."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.evaluation.counting_memory import reading_bytes
from teravox.pipeline.evaluation.mask import MaskLayer
from teravox.pipeline.evaluation.refusals import check_options
from teravox.pipeline.evaluation.same_voxels import mip_like, refuse_other_voxels
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.shapes import enlarge, say_size
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.evaluation.declaration import Evaluation

LARGEST = 1 << 26  # voxels of a piece, unless somebody says its shape
MOST = 1 << 47  # voxels, so that the squares of counts can be added up
FOR_PAIRS = 100_000_000  # bytes that must be left for tables of pairs, ...
SHARE = 3  # ... and the part of --memory that is left for them, where a piece could be made smaller


class Plan(msgspec.Struct, frozen=True):
    """The layers and the pieces of an evaluation."""

    a: Layer
    b: Layer
    mip_a: int
    mip_b: int
    mask: MaskLayer | None
    store: Store  # of DEST
    bounds: Box  # what is compared
    grid: Grid  # of the pieces; it may begin before the bounds, where a region or a chunk does

    def compared(self, piece: Box) -> Box:
        """The voxels of a piece that are compared."""
        return piece.intersect(self.bounds)

    def around(self, box: Box, reach: Vec) -> Box:
        """What is read of A: a box, and as far around it as borders of labels matter."""
        x, y, z = reach
        low, high = box.shift((-x, -y, -z)).min, box.shift(reach).max
        return Box(low, high).intersect(self.a.bounds(self.mip_a))

    def index(self, piece: Box) -> int:
        """The number of a piece."""
        low, shape, cells = self.grid.bounds.min, self.grid.shape, self.grid.cells
        x, y, z = ((a - start) // length for a, start, length in zip(piece.min, low, shape, strict=True))
        return x + cells[0] * (y + cells[1] * z)


def make_plan(job: Evaluation[Any], *, fresh: bool = False) -> Plan:
    """What the options come to; BadUsage names the option that cannot be meant."""
    a, b = Layer.open(job.a, fresh=fresh), Layer.open(job.b, fresh=fresh)
    mip_a, mip_b = job.mip, job.mip_b
    if mip_b is None:
        mip_b = mip_like(a, mip_a, b)
    else:
        refuse_other_voxels(a, mip_a, b, mip_b)
    check_options(job, a, b)
    mask = None if job.mask is None else MaskLayer.open(job.mask, a, mip_a, fresh=fresh)
    bounds = _shared_bounds(job, a.place(mip_a), a.bounds(mip_a), b.place(mip_b), b.bounds(mip_b))
    scale = a.scale(mip_a)
    least = job.shape or job.heat_map or scale.chunk
    around = bounds
    if job.heat_map is not None:
        around = _begin_whole(bounds, job.heat_map, (0, 0, 0))
    elif job.shape is None:
        around = _begin_whole(bounds, scale.chunk, scale.voxel_offset)
    plan = Plan(a, b, mip_a, mip_b, mask, open_store(job.dest), bounds, Grid(around, least))
    _check_memory(job, plan)
    if job.shape is not None:
        return plan
    shape = enlarge(least, around.size, lambda shape: _fits(job, plan, shape), (0, 1, 2))
    return msgspec.structs.replace(plan, grid=Grid(around, shape))


def _shared_bounds(job: Evaluation[Any], place_a: str, in_a: Box, place_b: str, in_b: Box) -> Box:
    """The voxels that are in A, in B and in --bounds."""
    bounds = in_a.intersect(in_b)
    if bounds.is_empty:
        raise BadUsage(f"{place_a} is {in_a} and {place_b} is {in_b}: they share no voxel")
    if job.bounds is not None:
        if job.bounds.intersect(bounds).is_empty:
            raise BadUsage(f"--bounds: {job.bounds} lies outside of what both layers have, which is {bounds}")
        bounds = job.bounds.intersect(bounds)
    if bounds.voxels >= MOST:
        raise BadUsage(f"--bounds: {bounds.voxels:,} voxels are more than can be compared at once; take a smaller part")
    return bounds


def _begin_whole(bounds: Box, unit: Vec, origin: Vec) -> Box:
    """The bounds, begun earlier where a region or a chunk begins."""
    x, y, z = (o + (n - o) // u * u for n, u, o in zip(bounds.min, unit, origin, strict=True))
    return Box((x, y, z), bounds.max)


def _fits(job: Evaluation[Any], plan: Plan, shape: Vec) -> bool:
    room = job.memory_limit - job.memory_limit // SHARE
    return math.prod(shape) <= LARGEST and _needs(job, plan, Grid(plan.grid.bounds, shape)) <= room


def _needs(job: Evaluation[Any], plan: Plan, grid: Grid) -> int:
    """The most bytes that a piece of a grid takes: one at its lower corner, or one that has others on both sides."""
    cells = itertools.product(*(range(min(2, n)) for n in grid.cells))
    boxes = (plan.compared(grid.box((x, y, z))) for x, y, z in cells)
    return FOR_PAIRS + max(reading_bytes(job, plan, box) for box in boxes)


def _check_memory(job: Evaluation[Any], plan: Plan) -> None:
    needed = _needs(job, plan, plan.grid)
    if needed > job.memory_limit:
        option = "--shape" if job.shape is not None else "--heat-map" if job.heat_map is not None else "--memory"
        raise BadUsage(
            f"{option}: a piece of {say_size(plan.grid.shape)} voxels needs {say_bytes(needed)}, and --memory allows "
            f"{say_bytes(job.memory_limit)}"
        )
