"""What of two tables of centres is compared, and how it is dealt out to tasks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.bundle import pack_bundle
from teravox.pipeline.centres.declaration import Comparing, Slices
from teravox.pipeline.centres.given import GivenCentres, read_centres
from teravox.pipeline.centres.options import Axis, plane_of
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.evaluation.json_files import get_json, put_json
from teravox.pipeline.evaluation.refusals import check_apart
from teravox.pipeline.storage.open import open_store

if TYPE_CHECKING:
    from numpy.typing import NDArray


PLAN = "plan.json"
PIXELS = 1 << 28  # that a task compares, but one slice at least
REMEDY = "Run the same `teravox evaluate centres` again"
_NEAR = 1e-6  # of a voxel's size


class ComparisonPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared, and in which pieces."""

    truth: str
    found: str
    bounds: Box
    size: tuple[int, int]  # of a slice, rows and columns
    sides: tuple[float, float]  # of a pixel, down and right; the shorter one is 1
    pieces: tuple[Slices, ...]


def folder_of(job: Comparing) -> str:
    """Where the tasks of a comparison leave files for each other, within DEST."""
    said = msgspec.json.encode(msgspec.structs.replace(job, dest="", memory_limit=1), order="sorted")
    return f"stages/centres-{hashlib.sha256(said).hexdigest()[:16]}"


def points_key(folder: str, number: int) -> str:
    return f"{folder}/points/{number:06d}"


class Compared(NamedTuple):
    """The plan of a comparison, and the centres, in pixels from the corner of what is compared."""

    plan: ComparisonPlan
    truth: GivenCentres
    found: GivenCentres


def plan_comparison(job: Comparing) -> Compared:
    """Read both tables; BadUsage says what cannot be compared."""
    check_apart(job.dest, [given for given in (job.truth, job.found) if isinstance(given, str)])
    truth, found = (
        read_centres(given, word, job.axis, job.mip, job.bounds, job.memory_limit // 2)
        for word, given in (("TRUTH", job.truth), ("FOUND", job.found))
    )
    bounds = _bounds(job, truth, found)
    column, row = plane_of(job.axis)
    size = (bounds.size[row], bounds.size[column])
    truth, found = (_cut(given, bounds, job.axis) for given in (truth, found))
    voxel = _resolution(job, truth, found)
    finest = min(voxel[row], voxel[column])
    plan = ComparisonPlan(
        truth=truth.name,
        found=found.name,
        bounds=bounds,
        size=size,
        sides=(voxel[row] / finest, voxel[column] / finest),
        pieces=_pieces(truth, found, max(1, PIXELS // (size[0] * size[1])), bounds),
    )
    return Compared(plan, truth, found)


def write_plan(job: Comparing) -> None:
    """Deal the centres out to the pieces."""
    plan, *both = plan_comparison(job)
    store, folder = open_store(job.dest), folder_of(job)
    for piece in plan.pieces:
        arrays: dict[str, NDArray[Any]] = {}
        for name, given in zip(("truth", "found"), both, strict=True):
            arrays[f"{name} slices"], points = given.between(piece.first, piece.last)
            arrays[f"{name} rows"], arrays[f"{name} columns"] = points.T
        store.put(points_key(folder, piece.number), pack_bundle({}, arrays))
    put_json(store, f"{folder}/{PLAN}", plan)


def read_plan(job: Comparing) -> ComparisonPlan:
    return get_json(open_store(job.dest), f"{folder_of(job)}/{PLAN}", ComparisonPlan, REMEDY)


def pieces_of(job: Comparing) -> tuple[Slices, ...]:
    """The pieces, whether the plan was written or not."""
    is_there = open_store(job.dest).get(f"{folder_of(job)}/{PLAN}") is not None
    return (read_plan(job) if is_there else plan_comparison(job).plan).pieces


def _pieces(truth: GivenCentres, found: GivenCentres, each: int, bounds: Box) -> tuple[Slices, ...]:
    import numpy as np

    slices: list[int] = np.unique(truth.slices).tolist()
    if not slices:
        raise BadUsage(f"TRUTH: {truth.name} has no centres in {bounds}, and slices without any are not compared")
    pieces: list[Slices] = []
    for at in range(0, len(slices), each):
        first, last = slices[at], slices[min(at + each, len(slices)) - 1] + 1
        centres = sum(len(given.between(first, last)[0]) for given in (truth, found))
        pieces.append(Slices(len(pieces), first, last, centres))
    return tuple(pieces)


def _cut(given: GivenCentres, bounds: Box, axis: Axis) -> GivenCentres:
    """The centres whose pixels are compared, in pixels from the corner."""
    import numpy as np

    along, (column, row) = "xyz".index(axis), plane_of(axis)
    slices, points = given.between(bounds.min[along], bounds.max[along])
    points = points - np.array([bounds.min[row], bounds.min[column]])
    inside = ((points >= -0.5) & (points < np.array([bounds.size[row], bounds.size[column]]) - 0.5)).all(axis=1)
    return given._replace(slices=slices[inside], points=points[inside])


def _bounds(job: Comparing, truth: GivenCentres, found: GivenCentres) -> Box:
    boxes = [box for box in (truth.bounds, found.bounds, job.bounds) if box is not None]
    if not boxes:
        raise BadUsage("--bounds: two tables of points do not say how large a slice is; say it, as x0,y0,z0:x1,y1,z1")
    bounds = boxes[0]
    for box in boxes[1:]:
        bounds = bounds.intersect(box)
    if bounds.is_empty:
        raise BadUsage(f"--bounds: nothing is left to compare of {' and '.join(map(str, boxes))}")
    return bounds


def _resolution(job: Comparing, truth: GivenCentres, found: GivenCentres) -> tuple[float, float, float]:
    known = [given.resolution for given in (truth, found) if given.resolution is not None]
    if not known:
        return (1.0, 1.0, 1.0)
    if any(abs(a / b - 1) > _NEAR for a, b in zip(known[0], known[-1], strict=True)):
        raise BadUsage(
            f"--mip: voxels of TRUTH at mip {job.mip} are {known[0]} nm, and those of FOUND {known[-1]} nm: only centres "
            "in voxels of one size can be compared"
        )
    return known[0]
