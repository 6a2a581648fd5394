"""What must be done before objects can be merged or indexed again: their fragments may have been cleared away since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.message import task_id
from teravox.pipeline.objects.forged import fragments_folder, read_forged
from teravox.pipeline.objects.result_folder import claim_folder, is_ours
from teravox.pipeline.objects.sort import SORTS, Sort
from teravox.pipeline.verification.redo import Redo

if TYPE_CHECKING:
    from teravox.pipeline.objects.forging.job import ForgeObjects
    from teravox.pipeline.objects.merging import MergeObjects
    from teravox.pipeline.store import Store
    from teravox.pipeline.verification.known_jobs import KnownJob
    from teravox.pipeline.verification.look import Look

READ_FRAGMENTS = ("merge", "index create")


def needed_before(look: Look, job: KnownJob, tasks: frozenset[str] | None) -> list[Redo]:  # noqa: ARG001 - each task reads something of all fragments
    """The tasks of the forge whose fragments a job reads, as far as these are not there.

    BadInput where nobody knows how they were forged.
    """
    sort = _sort_of(job, *READ_FRAGMENTS)
    if sort is None or look.layer is None:
        return []
    dir = str(job.record.job.get("dir", sort.one))
    try:
        named = read_forged(look.layer, sort, dir).id
    except BadInput:  # they were cleared away, or what names them was lost
        named = None
    forge = _find_forge(look, sort, dir, job, named)
    if forge is None:
        return []
    missing = frozenset(_missing_tasks(look.store, forge))
    return [Redo(forge, missing)] if missing or named is None else []


def settle_folder(job: KnownJob) -> None:
    """Make sure that a merge that is done again writes to where it did before; BadInput where the fragments are others now.

    The info of the folder is written anew where it was lost.
    """
    if _sort_of(job, "merge") is None:
        return
    merge = cast("MergeObjects", job.open())
    folder = job.prefix.rstrip("/")
    merging = merge.merging(anew=True)
    layer, forged, plan = merging
    if plan.folder == folder:
        return
    if is_ours(layer.store, folder):
        raise BadInput(
            f"the fragments in {layer.url}/{forged.folder} are not those of which {folder} was merged, and of these alone "
            f"a part can be made again. Merge them all: {merge_command(merge)}"
        )
    layer.store.delete([f"{folder}/info"])
    ours = msgspec.structs.replace(plan, folder=folder)
    claim_folder(layer.store, folder, merge.new_info(merging._replace(plan=ours)), plan.stamp)


def merge_command(merge: MergeObjects) -> str:
    """How the layer gets new objects of the fragments that are there."""
    return f"teravox {merge.sort.one} merge {merge.layer}"


def _sort_of(job: KnownJob, *verbs: str) -> Sort | None:
    kinds = {f"{sort.one} {verb}": sort for sort in SORTS for verb in verbs}
    return kinds.get(job.record.kind)


def _find_forge(look: Look, sort: Sort, dir: str, job: KnownJob, named: str | None) -> KnownJob | None:
    """The forge that left the fragments: the named one, or the last one before the job; None if they are of no known job."""
    forges = [
        one
        for one in look.makers.jobs
        if one.record.kind == f"{sort.one} forge" and one.record.job.get("dir", sort.one) == dir
    ]
    if named is not None:
        return next((one for one in forges if one.id.startswith(named)), None)
    before = [one for one in forges if one.record.time <= job.record.time]
    if not before:
        raise BadInput(
            f"the fragments in {look.store.url}/{fragments_folder(dir)} are gone, and the ledger knows no forge that made "
            f"them: run teravox {sort.one} forge and teravox {sort.one} merge again"
        )
    return before[-1]


def _missing_tasks(store: Store, forge: KnownJob) -> Iterator[str]:
    """The tasks of a forge whose fragments are not there."""
    job = cast("ForgeObjects", forge.open())
    there = set(store.list(f"{job.folder()}/"))
    for piece in job.pieces():
        if not there.issuperset(job.outputs(piece)):
            yield task_id(forge.record.kind, job, piece)
