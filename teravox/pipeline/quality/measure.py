"""Measures all that the report of a layer shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.description.describe import describe
from teravox.pipeline.description.description import Description
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.objects.sort import MESH, SKELETON, SORTS, Sort
from teravox.pipeline.quality.costs import JobCost, cost_of
from teravox.pipeline.quality.label_seams import measure_labels
from teravox.pipeline.quality.label_sizes import LabelSizes, measure_sizes
from teravox.pipeline.quality.planes import Planes, label_planes, object_planes
from teravox.pipeline.quality.seam import Seam
from teravox.pipeline.quality.stored import MipStored, Shares, survey_mip
from teravox.pipeline.quality.thumbnails import Range, Thumbnail, draw_thumbnails
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.known_jobs import KnownJob, list_jobs
from teravox.pipeline.verification.verify import Verified

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.registry import Registry


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report says; what could not be measured is absent, and `absent` says why, by section."""

    description: Description
    made: float  # Unix time
    samples: int
    seed: int
    stored: tuple[MipStored, ...]
    coverage: tuple[Shares, ...]
    thumbnails: tuple[tuple[Thumbnail, ...], ...]
    sizes: LabelSizes | None
    seams: tuple[Seam, ...]
    jobs: tuple[JobCost, ...]
    verified: Verified | None = None  # None where it was not asked for
    absent: dict[str, tuple[str, ...]]


def is_labels(layer: Layer) -> bool:
    """Whether voxels are labels, which have sizes and can be cut."""
    return layer.info.type == "segmentation" and not layer.info.data_type.startswith("float")


def count_steps(layer: Layer) -> int:
    """How often `step` is called."""
    return 2 * len(layer.info.scales) + 4


class Measuring:
    """Looks at a layer and changes nothing; what goes wrong in one section is said there, and the others go on."""

    def __init__(
        self, layer: Layer, registry: Registry, samples: int, seed: int, step: Callable[[int], object] = lambda _: None
    ) -> None:
        self._layer = layer
        self._registry = registry
        self._samples = samples
        self._seed = seed
        self._step = step
        self._absent: dict[str, list[str]] = {}
        self._can_list = not layer.url.startswith(("http://", "https://"))

    def run(self) -> Quality:
        layer = self._layer
        description = describe(layer)
        self._step(1)
        jobs = tuple(self._jobs())
        self._step(1)
        pairs = list(self._stored())
        thumbnails = tuple(self._thumbnails())
        sizes = self._sizes()
        self._step(1)
        seams = tuple(self._seams(jobs))
        self._step(1)
        return Quality(
            description=description,
            made=time.time(),
            samples=self._samples,
            seed=self._seed,
            stored=tuple(stored for stored, _ in pairs),
            coverage=tuple(shares for _, shares in pairs),
            thumbnails=thumbnails,
            sizes=sizes,
            seams=seams,
            jobs=jobs,
            absent={section: tuple(why) for section, why in self._absent.items()},
        )

    def _say(self, section: str, why: str) -> None:
        self._absent.setdefault(section, []).append(why)

    def _jobs(self) -> Iterator[JobCost]:
        if not self._can_list:
            self._say("costs", "The files of a web server cannot be listed, so its ledger is not known.")
            return
        problems: list[Finding] = []
        found: list[KnownJob] = list_jobs(self._layer.store, self._folders(), self._registry, problems)
        for problem in problems:
            self._say("costs", f"{problem.key}: {problem.sentence}.")
        if not found:
            self._say(
                "costs",
                "This layer has no ledger: it was made by other software, or its ledger was removed or left behind.",
            )
        yield from map(cost_of, found)

    def _folders(self) -> Iterator[str]:
        """Folders of the layer that have ledgers of their own."""
        for sort in SORTS:
            named = self._layer.raw.get(sort.word)
            if isinstance(named, str) and named.strip("/"):
                yield named.strip("/")

    def _stored(self) -> Iterator[tuple[MipStored, Shares]]:
        for mip in range(len(self._layer.info.scales)):
            if self._can_list:
                try:
                    yield survey_mip(self._layer, mip, self._samples)
                except TeravoxError as error:
                    self._say("coverage", f"Mip {mip}: {error}.")
            self._step(1)
        if not self._can_list:
            self._say("coverage", "The files of a web server cannot be listed, so which chunks are there is not known.")

    def _thumbnails(self) -> Iterator[tuple[Thumbnail, ...]]:
        contrast = None if is_labels(self._layer) else self._contrast()
        for mip in range(len(self._layer.info.scales)):
            yield tuple(draw_thumbnails(self._layer, mip, contrast))
            self._step(1)

    def _contrast(self) -> Range:
        from teravox.pipeline.view.sample import contrast_of, take_sample

        try:
            return contrast_of(take_sample(self._layer)[..., 0])
        except TeravoxError as error:
            self._say("thumbnails", f"The contrast was not measured: {error}.")
            return (0.0, 255.0)

    def _sizes(self) -> LabelSizes | None:
        if not is_labels(self._layer):
            self._say("sizes", f"This layer is of type {self._layer.info.type}, and only segmentations have labels.")
            return None
        try:
            return measure_sizes(self._layer)
        except TeravoxError as error:
            self._say("sizes", f"Labels were not counted: {error}.")
            return None

    def _seams(self, jobs: tuple[JobCost, ...]) -> Iterator[Seam]:
        if not is_labels(self._layer):
            self._say("seams", f"This layer is of type {self._layer.info.type}, and seams are looked for in labels.")
            return
        for look in (self._label_seam, self._mesh_seams, self._skeleton_seam):
            try:
                yield from look(jobs)
            except TeravoxError as error:
                self._say("seams", f"{error}.")

    def _label_seam(self, jobs: tuple[JobCost, ...]) -> Iterator[Seam]:
        planes = label_planes(self._layer, jobs)
        if not planes.number:
            self._say("seams", f"There are no borders between {planes.whose}: nothing was cut.")
            return
        yield measure_labels(self._layer, planes, self._samples, self._seed)

    def _mesh_seams(self, jobs: tuple[JobCost, ...]) -> Iterator[Seam]:
        from teravox.pipeline.meshes.reading import open_meshes
        from teravox.pipeline.quality.object_seams import measure_meshes

        planes = self._object_planes(jobs, MESH)
        if planes is not None:
            yield from measure_meshes(self._layer, open_meshes(self._layer), planes, self._samples, self._seed)

    def _skeleton_seam(self, jobs: tuple[JobCost, ...]) -> Iterator[Seam]:
        from teravox.pipeline.quality.object_seams import measure_skeletons
        from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

        planes = self._object_planes(jobs, SKELETON)
        if planes is not None:
            source = SkeletonSource.open(self._layer)
            yield measure_skeletons(self._layer, source, planes, self._samples, self._seed)

    def _object_planes(self, jobs: tuple[JobCost, ...], sort: Sort) -> Planes | None:
        """Where the pieces of objects meet; None, and why, where there is nothing to look at."""
        if not self._layer.raw.get(sort.word):
            self._say("seams", f"There are no {sort.many}.")
            return None
        planes = object_planes(self._layer, jobs, f"{sort.one} forge")
        if planes is None:
            self._say(
                "seams",
                f"No ledger tells of the pieces in which the {sort.many} were made, so their seams were not looked for.",
            )
        elif not planes.number:
            self._say("seams", f"The {sort.many} were made in one piece, so there are no borders to look at.")
            return None
        return planes
