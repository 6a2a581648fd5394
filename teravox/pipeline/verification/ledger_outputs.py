"""Verifies that what tasks have written is there as they wrote it, whatever it is."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.verification.against_ledger import TOGETHER, compare_checksums
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.key_hash import hash_key
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.parts import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Kinds whose files are there for later kinds, so that a whole folder of them may have been cleared away when these were done.
STAGES = frozenset({
    "image ccl faces", "image ccl links", "image ccl resolve", "segment", "stitch match", "stitch resolve",
    "evaluate count", "evaluate reduce",
})  # fmt: skip


def compare_with_ledger(look: Look, prefix: str) -> Iterator[Finding]:
    """What tasks have written below a prefix, against one listing; with checksums, its bytes too."""
    there = _There(look, prefix)
    written = look.makers.written_below(prefix)
    while some := list(islice(written, TOGETHER)):
        look.counts["objects compared with the ledger"] += len(some)
        for (key, known), (count, size) in zip(some, there.of([key for key, _ in some]), strict=True):
            if not count:
                yield Finding("missing", key, "it is not there, and a task has written it")
            elif count > 1:
                yield Finding("doubled", key, "it is there in several compressions")
            elif size < known.bytes:
                said = f"it has {size:,} bytes" if size else "it is empty"
                yield Finding("truncated", key, f"{said}, and {known.bytes:,} were written")
            elif size > known.bytes:
                yield Finding("changed", key, f"it has {size:,} bytes, and {known.bytes:,} were written")
        if look.how.checksums:
            yield from compare_checksums(look, [key for key, _ in some])


def find_outputs(look: Look) -> Iterable[Part]:
    """The folders that tasks have written to and that no other part looks after."""
    if not look.can_list:
        return
    folders = {folder for job in look.makers.jobs for folder in job.folders}
    theirs = _looked_after(look)
    ours = {folder for folder in folders if not any(_is_below(folder, other) for other in theirs)}
    tops = sorted(folder for folder in ours if not any(_is_below(folder, other) and folder != other for other in ours))
    for folder in tops:
        yield Outputs(look, folder)


class Outputs:
    """A folder of files that tasks have left: tables, levels, what stages leave for each other."""

    def __init__(self, look: Look, folder: str) -> None:
        self.place = f"files in {folder}" if folder else "files beside the info"
        self._look = look
        self._folder = folder
        self._jobs = [job for job in look.makers.jobs if any(_is_below(one, folder) for one in job.folders)]

    def steps(self) -> int:
        return 1

    def findings(self) -> Iterator[Finding]:
        self._look.step(1)
        prefix = f"{self._folder}/" if self._folder else ""
        if self._was_cleared():
            self._look.counts["folders of files that were cleared away"] += 1
            return
        missing: dict[str, Finding] = {}
        for finding in compare_with_ledger(self._look, prefix):
            if not self._folder and "/" in finding.key:
                continue
            if finding.what == "missing":
                missing[finding.key] = finding
            else:
                yield finding
        given_up = self._given_up(missing) if missing else set()
        yield from (finding for key, finding in missing.items() if key not in given_up)

    def _was_cleared(self) -> bool:
        """Whether nothing is left of the folder, on purpose: a later job has removed mips, or stages went with all beside them."""
        last = max((job.number for job in self._jobs), default=-1)
        if any(job.takes_away and job.number > last for job in self._look.makers.jobs):
            return self._is_empty(self._folder)
        parent = self._folder.rpartition("/")[0]
        return all(job.record.kind in STAGES for job in self._jobs) and self._is_empty(parent)

    def _is_empty(self, folder: str) -> bool:
        return not list(islice(self._look.store.list(f"{folder}/" if folder else ""), 1))

    def _given_up(self, keys: Iterable[str]) -> set[str]:
        """Those keys which their jobs, asked now, do not want to leave behind any more: they merged them into something else."""
        given_up = set(keys)
        for job in self._jobs:
            try:
                opened = job.open()
                for record in job.ledger.records():
                    if not given_up.isdisjoint(job.prefix + key for key in record.outputs):
                        wanted = opened.outputs(job.piece(record.piece))
                        given_up.difference_update(job.prefix + key for key in wanted)
            except TeravoxError:  # it cannot be asked: what it wrote is wanted
                given_up.difference_update(key for key in keys if key.rpartition("/")[0] in job.folders)
        return given_up


class _There:
    """What a listing says is below a prefix, in 17 bytes for each object."""

    def __init__(self, look: Look, prefix: str) -> None:
        import numpy as np

        names, sizes = array("Q"), array("q")
        for key, size, _ in look.store.list_sizes(prefix):
            names.append(hash_key(key))
            sizes.append(size)
        found = np.frombuffer(names, np.uint64) if names else np.empty(0, np.uint64)
        order = np.argsort(found, kind="stable")
        self._names: NDArray[np.uint64] = found[order]
        self._sizes: NDArray[np.int64] = (np.frombuffer(sizes, np.int64) if sizes else np.empty(0, np.int64))[order]

    def of(self, keys: list[str]) -> Iterator[tuple[int, int]]:
        """In how many compressions each is there, and the bytes of one."""
        import numpy as np

        names = np.fromiter(map(hash_key, keys), np.uint64)
        first, last = (np.searchsorted(self._names, names, side) for side in ("left", "right"))
        for start, stop in zip(first.tolist(), last.tolist(), strict=True):
            yield stop - start, int(self._sizes[start]) if stop > start else 0


def _looked_after(look: Look) -> list[str]:
    """The folders of which other parts look after what tasks wrote."""
    if look.layer is None:
        return []
    from teravox.pipeline.objects.forged import fragments_folder
    from teravox.pipeline.objects.result_folder import stem_of
    from teravox.pipeline.objects.sort import SORTS
    from teravox.pipeline.verification.object_folder import folder_of

    folders = [scale.key for scale in look.layer.info.scales]
    for sort in SORTS:
        named = folder_of(look, sort)
        forges = (job.record.job.get("dir") for job in look.makers.jobs if job.record.kind == f"{sort.one} forge")
        bases = {sort.one, *([stem_of(named)] if named else []), *(one for one in forges if isinstance(one, str))}
        folders += [*([named] if named else []), *map(fragments_folder, sorted(bases))]
    return folders


def _is_below(folder: str, other: str) -> bool:
    return not other or folder == other or folder.startswith(f"{other}/")
