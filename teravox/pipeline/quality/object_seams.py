"""Meshes and skeletons that end, or have more of everything, on the borders of pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.quality.planes import Planes
from teravox.pipeline.quality.seam import PlaneFigure, Seam
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.meshes.mesh import Mesh
    from teravox.pipeline.meshes.mesh_source import MeshSource
    from teravox.pipeline.objects.source import ObjectSource
    from teravox.pipeline.skeletons.skeleton import Skeleton
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

    Places = NDArray[np.float64]  # a row of x, y, z in voxels for each

NEAR = 1.0  # voxels from a plane; meshes and skeletons of neighbours meet in the middle of a voxel
MOST_DRACO, MOST_PLAIN = 10_000_000, 80_000_000  # bytes of a mesh, about 3 million faces; larger ones are left out
AT_ONCE = 3  # meshes or skeletons
TOGETHER = 1 << 16  # labels that are chosen from at once


class Sampled(NamedTuple):
    """Some labels of a source, and how many there are."""

    labels: list[int]
    number: int

    def say(self, what: str, seed: int, left_out: int) -> str:
        part = "all" if len(self.labels) == self.number else f"{len(self.labels):,} (by chance, seed {seed}) of"
        skipped = ""
        if left_out:
            were = "was left out, as it is" if left_out == 1 else "were left out, as they are"
            skipped = f"; {left_out:,} of them {were} too large or cannot be read"
        return f"{part} {self.number:,} {what}{skipped}"


def sample_labels(source: ObjectSource, number: int, seed: int) -> Sampled:
    """Labels that have an object: those that hash lowest, so that they do not depend on the order of a listing."""
    import numpy as np

    from teravox.pipeline.verification.object_labels import Sample

    sample = Sample(number, seed)
    labels = source.labels()
    there = 0
    while some := list(islice(labels, TOGETHER)):
        there += len(some)
        sample.add(np.array(some, np.uint64))
    return Sampled(sample.chosen(), there)


def measure_meshes(
    layer: Layer,
    source: MeshSource,
    planes: Planes,
    number: int,
    seed: int,
) -> list[Seam]:
    """Edges with one face only, which are cracks, and vertices; of the finest level."""
    from teravox.kernels.quality.near_planes import open_edges

    sampled = sample_labels(source, number, seed)
    edges, vertices = _Tally(planes), _Tally(planes)
    left_out = 0
    for mesh in side_by_side(lambda label: _read_mesh(source, label), sampled.labels, AT_ONCE):
        if mesh is None:
            left_out += 1
            continue
        places = mesh.vertices.astype("f8") / layer.scale(planes.mip).resolution
        vertices.add(places[:, None, :])
        edges.add(places[open_edges(mesh.faces)])
    said = {"whose": planes.whose, "mip": planes.mip, "looked_at": sampled.say("meshes", seed, left_out)}
    return [
        Seam(what="mesh edges", figures=edges.figures(), elsewhere=edges.elsewhere, **said),  # type: ignore[arg-type]  # the words above
        Seam(what="mesh vertices", figures=vertices.figures(), **said),  # type: ignore[arg-type]  # as above
    ]


def measure_skeletons(
    layer: Layer,
    source: SkeletonSource,
    planes: Planes,
    number: int,
    seed: int,
) -> Seam:
    """Ends of skeletons."""
    from teravox.kernels.quality.near_planes import find_ends

    sampled = sample_labels(source, number, seed)
    ends = _Tally(planes)
    left_out = 0
    for skeleton in side_by_side(lambda label: _read_skeleton(source, label), sampled.labels, AT_ONCE):
        if skeleton is None:
            left_out += 1
            continue
        places = skeleton.vertices.astype("f8") / layer.scale(planes.mip).resolution
        ends.add(places[find_ends(len(places), skeleton.edges)][:, None, :])
    return Seam(
        what="skeleton ends",
        whose=planes.whose,
        mip=planes.mip,
        looked_at=sampled.say("skeletons", seed, left_out),
        figures=ends.figures(),
        elsewhere=ends.elsewhere,
    )


class _Tally:
    """Counts what is near each plane. A thing of several places is near a plane if all of them are."""

    def __init__(self, planes: Planes) -> None:
        import numpy as np

        self._planes = [sorted({*planes.borders[axis], *planes.insides[axis]}) for axis in range(3)]
        self._borders = [set(planes.borders[axis]) for axis in range(3)]
        self._hits = [np.zeros(len(some), np.int64) for some in self._planes]
        self.elsewhere = 0

    def add(self, things: Places) -> None:
        """Add things, which are rows of places."""
        import numpy as np

        from teravox.kernels.quality.near_planes import count_near

        is_near = np.zeros(len(things), bool)
        for axis, planes in enumerate(self._planes):
            if not planes or not len(things):
                continue
            here = things[:, :, axis]
            middle, reach = (here.max(axis=1) + here.min(axis=1)) / 2, np.ptp(here, axis=1) / 2
            flat = reach <= NEAR  # and so near a plane as a whole, or not at all
            at = np.array(planes, "f8")
            self._hits[axis] += count_near(middle[flat], at, NEAR)
            next_one = np.clip(np.searchsorted(at, middle), 1, max(len(at) - 1, 1))
            gap = np.abs(middle[:, None] - at[np.stack([next_one - 1, np.minimum(next_one, len(at) - 1)], axis=1)])
            is_near |= flat & (gap.min(axis=1) <= NEAR)
        self.elsewhere += int(len(things) - np.count_nonzero(is_near))

    def figures(self) -> tuple[PlaneFigure, ...]:
        return tuple(self._each())

    def _each(self) -> Iterator[PlaneFigure]:
        for axis, (planes, hits) in enumerate(zip(self._planes, self._hits, strict=True)):
            borders: Iterable[int] = self._borders[axis]
            for at, count in zip(planes, hits.tolist(), strict=True):
                yield PlaneFigure(axis, at, at in borders, count, 1)


def _read_mesh(source: MeshSource, label: int) -> Mesh | None:
    """The finest level of a mesh; None where there is none, or where it is large or damaged."""
    from teravox.pipeline.meshes.legacy_source import LegacySource
    from teravox.pipeline.meshes.multires_source import MultiresSource

    try:
        if isinstance(source, LegacySource):
            return source.get_within(label, MOST_PLAIN)
        if isinstance(source, MultiresSource):
            place = source.find(label)
            levels = () if place is None else source.read_manifest(label, place.manifest).levels
            if levels and levels[0].size > MOST_DRACO:
                return None
        return source.get(label)
    except BadInput:  # which `verify` tells
        return None


def _read_skeleton(source: SkeletonSource, label: int) -> Skeleton | None:
    try:
        return source.get(label)
    except BadInput:  # as above
        return None
