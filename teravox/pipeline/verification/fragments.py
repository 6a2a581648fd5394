"""Verifies the fragments that forges have left for a merge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.forged import Forged, forged_key, fragments_folder, read_forged
from teravox.pipeline.objects.plan import read_plan
from teravox.pipeline.objects.result_folder import stem_of
from teravox.pipeline.objects.sort import SORTS, Sort
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.finding import Finding, Maker
from teravox.pipeline.verification.fragment_files import SAMPLED, FileCheck
from teravox.pipeline.verification.fragment_labels import compare_merged
from teravox.pipeline.verification.images import choose
from teravox.pipeline.verification.ledger_outputs import compare_with_ledger
from teravox.pipeline.verification.object_folder import folder_of
from teravox.pipeline.verification.object_labels import LabelSet

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.verification.known_jobs import KnownJob
    from teravox.pipeline.verification.look import Look

ENDING = ".frags"
ID = 16  # letters of a job's id in the name of a folder


def find_fragments(look: Look) -> Iterable[Fragments]:
    """Those folders of fragments in which something lies."""
    if look.layer is None or not look.can_list:
        return []
    return [
        Fragments(look, look.layer, sort, base)
        for sort in SORTS
        for base in sorted(_bases(look, sort))
        if next(iter(look.store.list(f"{fragments_folder(base)}/")), None) is not None
    ]


def _bases(look: Look, sort: Sort) -> set[str]:
    """The folders of objects beside which there may be fragments: the usual one, the named one, and those of known forges."""
    named = folder_of(look, sort)
    told = (job.record.job.get("dir") for job in forges(look, sort))
    return {sort.one, *([stem_of(named)] if named else []), *(dir for dir in told if isinstance(dir, str))}


def forges(look: Look, sort: Sort) -> list[KnownJob]:
    """The forges that the ledger knows, the first one first."""
    return [job for job in look.makers.jobs if job.record.kind == f"{sort.one} forge"]


class Fragments:
    """What lies beside the objects of one folder: the fragments of the last forge, and of those that are not finished."""

    def __init__(self, look: Look, layer: Layer, sort: Sort, base: str) -> None:
        self.place = f"fragments in {fragments_folder(base)}"
        self._look = look
        self._layer = layer
        self._sort = sort
        self._base = base
        self._jobs = {
            f"{fragments_folder(base)}/{job.id[:ID]}": job
            for job in forges(look, sort)
            if job.record.job.get("dir") == base
        }

    def steps(self) -> int:
        return sum(key.endswith(ENDING) for key in self._look.store.list(f"{fragments_folder(self._base)}/"))

    def findings(self) -> Iterator[Finding]:
        key = forged_key(self._base)
        forged = None
        if self._look.store.get(key) is not None:
            try:
                forged = read_forged(self._layer, self._sort, self._base)
            except BadInput as error:
                yield Finding("invalid", key, str(error), self._last())
                return
        going = [folder for folder, job in self._jobs.items() if not job.ledger.finished()]
        checked = {*going, *([forged.folder] if forged else [])}
        for folder in checked:
            yield from self._check_folder(folder, forged if forged and forged.folder == folder else None)
        if forged is None and not going and self._are_there():
            yield Finding("incomplete", key, "it is missing, and without it no merge finds the fragments", self._last())
        self._count_stale(checked)

    def _are_there(self) -> bool:
        """Whether a finished forge has fragments that nobody is removing."""
        if self._look.store.get(f"{self._base}.clean.json") is not None:
            return False
        return any(name.endswith(ENDING) for folder in self._jobs for name in self._look.store.list(f"{folder}/"))

    def _last(self) -> Maker | None:
        """The last forge that was finished, whose end writes what says where the fragments are."""
        done = [job for job in self._jobs.values() if job.ledger.finished()]
        return Maker(done[-1].record.kind, done[-1].id) if done else None

    def _check_folder(self, folder: str, forged: Forged | None) -> Iterator[Finding]:
        """One forge: where it is finished, by its pieces; before that, by those that the ledger knows."""
        known: set[str] = set()
        for finding in compare_with_ledger(self._look, f"{folder}/"):
            known.add(finding.key)
            yield finding
        sizes = {key: size for key, size, _ in self._look.store.list_sizes(f"{folder}/") if key.endswith(ENDING)}
        if forged is not None:
            pieces = {forged.key(piece) for piece in forged.grid}
            for key in sorted(pieces.difference(sizes, known)):
                yield Finding("missing", key, f"{self._base}.fragments/forged.json tells of this piece")
            for key in sorted(sizes.keys() - pieces):
                yield Finding("unlisted", key, "it is not of a piece that forged.json tells of")
        yield from self._check_plans(folder)
        labels, crc = LabelSet(), 0
        is_whole = forged is not None and len(sizes) == len(forged.grid)
        keys = sorted(sizes)
        chosen = {keys[at] for at in choose(len(keys), self._look, folder)}
        for check in side_by_side(lambda key: self._check_file(key, sizes[key], is_chosen=key in chosen), keys):
            self._look.step(1)
            self._look.counts["files of fragments"] += 1
            yield from (finding for finding in check.findings if finding.key not in known)
            labels.add(check.labels)
            crc ^= check.crc
            is_whole = is_whole and check.is_readable
        if forged is not None and is_whole:
            yield from compare_merged(self._look, self._layer, self._sort, forged, crc, labels.sorted())

    def _check_plans(self, folder: str) -> Iterator[Finding]:
        """What merges have written down for their tasks."""
        for key in self._look.store.list(f"{folder}/merge-"):
            try:
                read_plan(self._look.store, key)
            except BadInput as error:
                yield Finding("invalid", key, str(error))

    def _check_file(self, key: str, size: int, *, is_chosen: bool) -> FileCheck:
        some = 0 if not is_chosen else SAMPLED if self._look.how.sample is not None else None
        return FileCheck(self._look.store, key, self._sort, size).run(decode=some)

    def _count_stale(self, checked: set[str]) -> None:
        """Fragments of earlier forges are no damage: they lie there until somebody cleans up."""
        stale = {
            folder
            for key in self._look.store.list(f"{fragments_folder(self._base)}/")
            if key.endswith(ENDING) and (folder := key.rpartition("/")[0]) not in checked
        }
        if stale:
            self._look.counts[f"folders of earlier fragments, which teravox {self._sort.one} clean removes"] += len(
                stale
            )
