"""How a volume is cut into boxes, and what the options say of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.shapes import enlarge
from teravox.pipeline.storage.urls import normalize
from teravox.pipeline.store import Store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.components.declaration import Labelling

LABELLING = 16  # bytes that labelling takes for each voxel, at worst: runs of one voxel and what they hold
RELABELLING = 22  # bytes that the other stages take for each voxel, at worst: where each is a component of its own
GROWN = 1 << 26  # voxels; larger pieces have little less surface, and leave less to do side by side


class Plan(msgspec.Struct, frozen=True):
    """The boxes of a labelling: their grid begins at the lower corner of what is labelled, wherever that is."""

    layer: Layer
    store: Store  # of DEST
    mip: int
    grid: Grid
    chunk: Vec  # of DEST

    @property
    def resolution(self) -> tuple[float, float, float]:
        return self.layer.scale(self.mip).resolution

    def cell(self, box: Box) -> Vec:
        """The place of a box in the grid."""
        low, shape = self.grid.bounds.min, self.grid.shape
        x, y, z = ((a - start) // length for a, start, length in zip(box.min, low, shape, strict=True))
        return (x, y, z)

    def index(self, cell: Vec) -> int:
        """The number of a box, x fastest."""
        across, up, _ = self.grid.cells
        return cell[0] + across * (cell[1] + up * cell[2])

    def has(self, cell: Vec) -> bool:
        return all(0 <= n < most for n, most in zip(cell, self.grid.cells, strict=True))

    def sides(self, box: Box) -> list[int]:
        """The faces of a box behind which another one lies."""
        from teravox.kernels.components import HIGH, LOW, side

        cell = self.cell(box)
        sides = [side(axis, LOW) for axis in range(3) if cell[axis] > 0]
        return sides + [side(axis, HIGH) for axis in range(3) if cell[axis] + 1 < self.grid.cells[axis]]

    def chunks(self, box: Box) -> Grid:
        """The chunks of DEST that a box is made of."""
        return Grid(box, self.chunk)


def make_plan(job: Labelling[Any], *, fresh: bool = False) -> Plan:
    """What a labelling's options come to; BadUsage names the option that cannot be meant."""
    layer = Layer.open(job.source, fresh=fresh)
    scale = layer.scale(job.mip)
    _check(job, layer)
    bounds = scale.bounds
    if job.bounds is not None:
        bounds = job.bounds.intersect(bounds)
        if bounds.is_empty:
            raise BadUsage(f"--bounds: {job.bounds} lies outside of {layer.place(job.mip)}, which is {scale.bounds}")
    chunk = job.chunk_size or scale.chunk
    if min(chunk) < 1:
        raise BadUsage(f"--chunk-size: expected three numbers from 1 up, got {chunk}")
    shape = _shape(job, layer, bounds, chunk)
    from teravox.pipeline.storage.open import open_store

    return Plan(layer, open_store(job.dest), job.mip, Grid(bounds, shape), chunk)


def check_group(group: Vec, cells: Vec) -> None:
    """Raise BadUsage if groups of so many cannot come to hold all boxes of a grid."""
    if any(n < 1 or (n < 2 <= most) for n, most in zip(group, cells, strict=True)):
        raise BadUsage(f"--group: expected numbers from 2 up where there are several boxes ({cells}), got {group}")


def labelling_bytes(layer: Layer) -> int:
    """The bytes that labelling takes for each voxel, at worst."""
    return layer.info.itemsize + LABELLING


def _check(job: Labelling[Any], layer: Layer) -> None:
    if normalize(job.dest) == layer.url:
        raise BadUsage("DEST: it is SOURCE, which is only read; choose another place")
    if job.connectivity not in (6, 18, 26):
        raise BadUsage(f"--connectivity: expected 6, 18 or 26, got {job.connectivity}")
    if layer.info.num_channels != 1:
        raise BadUsage(
            f"{layer.url} has {layer.info.num_channels} channels, and components are labelled in one; make a layer of that"
        )
    if layer.info.data_type.startswith("float") and not job.is_binary:
        raise BadUsage(f"--threshold-gte: {layer.url} holds fractions; say with thresholds what is to be labelled")
    low, high = job.threshold_gte, job.threshold_lte
    if low is not None and high is not None and low > high:
        raise BadUsage(f"--threshold-lte: no voxel is {low:g} or more and {high:g} or less")
    if job.has_strong:
        _check_strong(job)


def _check_strong(job: Labelling[Any]) -> None:
    name = "--strong-lte" if job.strong_gte is None else "--strong-gte"
    if not job.is_binary:
        raise BadUsage(f"{name}: say with --threshold-gte or --threshold-lte which voxels are labelled, weak ones too")
    if job.strong_gte is not None and job.threshold_gte is not None and job.strong_gte < job.threshold_gte:
        raise BadUsage(f"--strong-gte: {job.strong_gte:g} is below --threshold-gte, so all that is labelled is strong")
    if job.strong_lte is not None and job.threshold_lte is not None and job.strong_lte > job.threshold_lte:
        raise BadUsage(f"--strong-lte: {job.strong_lte:g} is above --threshold-lte, so all that is labelled is strong")
    lows = [low for low in (job.threshold_gte, job.strong_gte) if low is not None]
    highs = [high for high in (job.threshold_lte, job.strong_lte) if high is not None]
    if lows and highs and max(lows) > min(highs):
        raise BadUsage(f"{name}: no voxel is within the thresholds and strong")


def _shape(job: Labelling[Any], layer: Layer, bounds: Box, chunk: Vec) -> Vec:
    each = max(labelling_bytes(layer), RELABELLING)
    allowed = (job.memory_limit - LIBRARIES) // each
    least = job.shape or chunk
    if min(least) < 1:
        raise BadUsage(f"--shape: expected three numbers from 1 up, got {least}")
    if any(n % c and n < whole for n, c, whole in zip(least, chunk, bounds.size, strict=True)):
        raise BadUsage(f"--shape: expected multiples of the chunks of DEST, {chunk}, got {least}")
    needed = _voxels(least, bounds)
    if needed > allowed:
        option = "--memory" if job.shape is None else "--shape"
        raise BadUsage(
            f"{option}: a piece of {least} voxels needs {say_bytes(LIBRARIES + needed * each)}, "
            f"and --memory allows {say_bytes(job.memory_limit)}"
        )
    most = min(allowed, GROWN)
    return job.shape or enlarge(chunk, bounds.size, lambda shape: math.prod(shape) <= most, (0, 1, 2))


def _voxels(shape: Vec, bounds: Box) -> int:
    return math.prod(map(min, shape, bounds.size))
