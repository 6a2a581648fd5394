"""The planes between the pieces of a job, and planes inside of its pieces, to compare them with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Box

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.quality.costs import Intervals, JobCost

AXES = "xyz"
HALF, THREE_EIGHTHS = (1, 2), (3, 8)  # of a piece; in the middle of it, cells of meshes meet


class Planes(msgspec.Struct, frozen=True):
    """For each axis, where pieces meet and a plane inside of each, in voxels; a plane lies before the voxel it is named by."""

    borders: tuple[tuple[int, ...], ...]
    insides: tuple[tuple[int, ...], ...]
    mip: int
    whose: str  # pieces these are, for people

    @property
    def number(self) -> int:
        return sum(map(len, self.borders))


def label_planes(layer: Layer, jobs: Sequence[JobCost]) -> Planes:
    """The planes of the job that wrote the voxels of mip 0 last; those of chunks where no such job has cut anything."""
    folder = layer.scale(0).key
    why = "no ledger tells of the pieces"
    for job in sorted(jobs, key=lambda job: job.asked, reverse=True):
        if not job.folder and folder in job.wrote and job.intervals is not None and _lies_in(job, layer.bounds(0)):
            whose = f"{job.kind} ({job.id[:8]})"
            planes = _between(job.intervals, layer.bounds(0), 0, HALF, f"pieces of the job {whose}")
            if planes.number:
                return planes
            why = f"{whose} has written everything in one piece"
            break
    scale = layer.scale(0)
    steps = [
        tuple((a, min(a + step, high)) for a in range(low, high, step))
        for low, high, step in zip(scale.bounds.min, scale.bounds.max, scale.chunk, strict=True)
    ]
    return _between((steps[0], steps[1], steps[2]), scale.bounds, 0, HALF, f"chunks, as {why}")


def _lies_in(job: JobCost, bounds: Box) -> bool:
    """Whether the pieces are boxes of these bounds, and not of what a copy was made of."""
    return job.intervals is not None and all(
        low <= a and b <= high
        for low, high, some in zip(bounds.min, bounds.max, job.intervals, strict=True)
        for a, b in some
    )


def object_planes(layer: Layer, jobs: Sequence[JobCost], kind: str) -> Planes | None:
    """The planes of the last forge, which has made the objects; None where no ledger tells of one."""
    forges = [job for job in jobs if job.kind == kind and job.intervals is not None and job.mip is not None]
    if not forges:
        return None
    job = max(forges, key=lambda job: job.asked)
    if job.intervals is None or job.mip is None or job.mip >= len(layer.info.scales):
        return None
    return _between(
        job.intervals, layer.bounds(job.mip), job.mip, THREE_EIGHTHS, f"pieces of the job {job.kind} ({job.id[:8]})"
    )


def _between(intervals: Intervals, bounds: Box, mip: int, depth: tuple[int, int], whose: str) -> Planes:
    borders, insides = [], []
    for axis, some in enumerate(intervals):
        low, high = bounds.min[axis], bounds.max[axis]
        ends = {end for interval in some for end in interval}
        found = sorted(end for end in ends if low < end < high)
        centers = {a + (b - a) * depth[0] // depth[1] for a, b in some} if found else set()
        borders.append(tuple(found))
        insides.append(tuple(sorted(at for at in centers - ends if low < at < high)))
    return Planes(tuple(borders), tuple(insides), mip, whose)
