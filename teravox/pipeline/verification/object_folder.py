"""The folder in which a layer has its meshes or skeletons, and what its ledgers know of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.named_folder import named_folder
from teravox.pipeline.objects.result_folder import MARK
from teravox.pipeline.verification.finding import Finding, Maker
from teravox.pipeline.verification.ledger_outputs import compare_with_ledger
from teravox.pipeline.verification.object_space import Space

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.sort import Sort
    from teravox.pipeline.verification.known_jobs import KnownJob
    from teravox.pipeline.verification.look import Look

INDEX = ".spatial"
SHARD = ".shard"
MANIFEST = ".index"  # of a mesh of several levels
LEGACY_MANIFEST = ":0"


def folder_of(look: Look, sort: Sort) -> str | None:
    """The folder that a layer's info names; None where it names none, or where it cannot be one."""
    if look.layer is None or look.layer.raw.get(sort.word) is None:
        return None
    try:
        return named_folder(look.layer, sort)
    except BadInput:  # which whoever verifies the info has told
        return None


def count_steps(look: Look, folder: str) -> int:
    """About how much there is to look at: shards, manifests of legacy meshes, or those objects that are decoded."""
    if not look.can_list:
        return 0
    shards = manifests = objects = 0
    for key in look.store.list(f"{folder}/"):
        shards += key.endswith(SHARD)
        manifests += key.endswith(LEGACY_MANIFEST)
        objects += key.count("/") == folder.count("/") + 1
    return shards or manifests or min(objects, objects if look.how.sample is None else look.how.sample)


def merger_of(look: Look, folder: str) -> Maker | None:
    """The last merge into a folder: its ledger lies there."""
    return next((Maker(job.record.kind, job.id) for job in reversed(_merges(look, folder))), None)


def _merges(look: Look, folder: str) -> list[KnownJob]:
    return [job for job in look.makers.jobs if job.prefix == f"{folder}/"]


class Place:
    """A folder of objects, with what its info says."""

    def __init__(self, look: Look, layer: Layer, sort: Sort, folder: str, raw: dict[str, Any]) -> None:  # Any: JSON
        self.look = look
        self.layer = layer
        self.sort = sort
        self.folder = folder
        self.raw = raw
        self.space = Space.of(layer, raw)

    def compare(self) -> Iterator[Finding]:
        """What is missing, or is not as the ledgers noted when it was written; of tasks that made the folder as it is now."""
        if not self.look.can_list:
            return
        late: list[Finding] = []
        for finding in compare_with_ledger(self.look, f"{self.folder}/"):
            if finding.what == "missing":
                late.append(finding)
            else:
                yield finding
        makers = self.look.makers.makers_of(finding.key for finding in late)
        mine = self._jobs()
        for finding in late:
            maker = makers.get(finding.key)
            if maker is None or maker.job in mine or (finding.key.endswith(INDEX) and "spatial_index" in self.raw):
                yield finding

    def check_info(self) -> Iterator[Finding]:
        """Whether there is an info, where there must have been one: readers take other forms for granted without it."""
        key = f"{self.folder}/info"
        if self.look.store.get(key) is None:
            if self._wants_info():
                yield Finding(
                    "missing",
                    key,
                    f"without it nobody knows in which form the {self.sort.many} are",
                    merger_of(self.look, self.folder),
                )
        elif "spatial_index" not in self.raw and (indexed := self._indexer()) is not None:
            yield Finding("incomplete", key, "it does not tell of the spatial index, which was made", indexed)

    def _indexer(self) -> Maker | None:
        """The job that made a spatial index of what is there now."""
        since = max((job.record.time for job in _merges(self.look, self.folder)), default=float("inf"))
        kind = f"{self.sort.one} index create"
        jobs = [job for job in self.look.makers.jobs if job.record.kind == kind and job.record.time > since]
        return Maker(kind, jobs[-1].id) if jobs and jobs[-1].ledger.finished() else None

    def _wants_info(self) -> bool:
        """Whether a merge has been here, or there are files of a form that cannot do without an info."""
        if _merges(self.look, self.folder):
            return True
        keys = self.look.store.list(f"{self.folder}/") if self.look.can_list else ()
        return any(key.endswith((SHARD, MANIFEST)) for key in keys)

    def _jobs(self) -> set[str]:
        """The jobs whose ledgers lie in the folder, and the one that its info is marked with; others were before a removal."""
        mark = self.raw.get(MARK)
        marked = mark.get("job") if isinstance(mark, dict) else None
        return {job.id for job in self.look.makers.jobs if job.prefix == f"{self.folder}/" or job.id == marked}
