"""What has to be done again so that a layer is sound: which tasks, in which order, and what nobody can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.message import task_id
from teravox.pipeline.verification.finding import Finding, Maker
from teravox.pipeline.verification.known_jobs import KnownJob
from teravox.pipeline.verification.ledger_jobs import pieces_not_done
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.object_rounds import needed_before
from teravox.pipeline.verification.redo import Redo
from teravox.pipeline.verification.restore_info import KEY

CLEARED = ("invalid", "undecodable", "wrong", "truncated")  # findings about files that the end of a job makes


class Refused(NamedTuple):
    """What cannot be repaired, and why, with what to do about it."""

    key: str
    why: str


class RepairPlan(NamedTuple):
    """Jobs in the order in which they are to be done; each may read what those before it write."""

    redo: list[Redo]
    refused: list[Refused]
    restores_info: bool = False  # that comes first, by `restore_info`


def plan_repair(look: Look, findings: Iterable[Finding]) -> RepairPlan:
    """The tasks that make what is missing or broken.

    What a task writes anew beside that, and a later task had written over, is written by that one again.
    """
    refused: list[Refused] = []
    wanted: dict[str, set[str] | None] = {}
    clears: dict[str, set[str]] = {}
    findings = list(findings)
    if any(finding.key == KEY and finding.what in ("missing", "invalid") for finding in findings):
        return RepairPlan([], [], restores_info=True)  # what else is broken can only be told with it
    for finding in findings:
        job = None if finding.task is None else look.makers.job(finding.task.job)
        if finding.task is None or job is None:
            refused.append(Refused(finding.key, _say_nobody(look, finding)))
            continue
        try:
            job.open()
            _want(wanted, job, _tasks(job, finding, finding.task))
            if finding.task.task is None and finding.what in CLEARED:
                clears.setdefault(job.id, set()).add(finding.key)
        except TeravoxError as error:
            refused.append(Refused(finding.key, str(error)))
    _follow(look, wanted)
    redo = [
        Redo(job, None if (tasks := wanted[job.id]) is None else frozenset(tasks), frozenset(clears.get(job.id, ())))
        for job in look.makers.jobs
        if job.id in wanted
    ]
    possible = list(_possible(look, redo, refused))
    return RepairPlan(_with_needed(look, possible, refused), refused)


def _tasks(job: KnownJob, finding: Finding, maker: Maker) -> set[str] | None:
    if finding.what == "incomplete":
        return {task_id(job.record.kind, job.open(), piece) for piece in pieces_not_done(job)}
    return None if maker.task is None else {maker.task}


def _want(wanted: dict[str, set[str] | None], job: KnownJob, tasks: set[str] | None) -> None:
    there = wanted.setdefault(job.id, set())
    wanted[job.id] = None if tasks is None or there is None else there | tasks


def _follow(look: Look, wanted: dict[str, set[str] | None]) -> None:
    """Add the later tasks whose objects the wanted ones are going to write over."""
    for job in look.makers.jobs:
        tasks = wanted.get(job.id, set())
        if tasks is not None and not tasks:
            continue
        keys = [
            job.prefix + key
            for record in job.ledger.records()
            if tasks is None or record.id in tasks
            for key in record.outputs
            if "://" not in key
        ]
        theirs = {
            key
            for key, writer in zip(keys, look.makers.jobs_of(keys), strict=True)
            if writer is not None and writer.number > job.number
        }
        for maker in look.makers.makers_of(theirs).values():
            later = look.makers.job(maker.job)
            if later is not None and maker.task is not None:
                _want(wanted, later, {maker.task})


def _possible(look: Look, redo: list[Redo], refused: list[Refused]) -> Iterator[Redo]:
    """Those that read nothing of this layer that is broken and stays so."""
    lost = [one.key for one in refused]
    for one in redo:
        broken = _broken_inputs(look, one, lost) if lost else {}
        for task, key in broken.items():
            refused.append(
                Refused(
                    f"{one.job.prefix}ledger/{one.job.id}",
                    f"task {task} of {one.job.record.kind} reads {key}, which is broken and which nobody here can make: "
                    "put that one right first, and run this again",
                )
            )
        if one.tasks is None and broken:
            continue
        left = one.tasks if one.tasks is None else one.tasks - broken.keys()
        if left is None or left or not one.tasks:
            yield Redo(one.job, left, one.clears)


def _broken_inputs(look: Look, redo: Redo, lost: list[str]) -> dict[str, str]:
    """The tasks that read a mip of this layer where an object is lost, and that object."""
    job: Any = redo.job.open()  # Any: each kind has its own fields
    mip = getattr(job, "mip", None)
    if look.layer is None or hasattr(job, "source") or not isinstance(mip, int):
        return {}
    if not 0 <= mip < len(look.layer.info.scales):
        return {}
    scale = look.layer.scale(mip)
    here = {key for key in lost if key.startswith(f"{scale.key}/")}
    broken: dict[str, str] = {}
    for record in redo.job.ledger.records() if here else ():
        piece = record.piece
        if redo.tasks is not None and record.id not in redo.tasks:
            continue
        try:
            box = msgspec.convert(piece, Box).intersect(scale.bounds)
        except msgspec.ValidationError:  # its pieces are no boxes, so nobody can say that it does not read it
            broken[record.id] = min(here)
            continue
        touched = here.intersection(look.layer.keys(box, mip)) if not box.is_empty else set()
        if touched:
            broken[record.id] = min(touched)
    return broken


def _with_needed(look: Look, redo: list[Redo], refused: list[Refused]) -> list[Redo]:
    """With what must be done before, where a job needs what another one has cleared away since: fragments, by a merge."""
    ordered: dict[str, Redo] = {}
    for one in redo:
        try:
            needed = needed_before(look, one.job, one.tasks)
        except TeravoxError as error:
            refused.append(Refused(f"{one.job.prefix}ledger/{one.job.id}", str(error)))
            continue
        for before in (*needed, one):
            there = ordered.get(before.job.id)
            if there is None or there.tasks is not None:
                tasks = (
                    None
                    if before.tasks is None
                    else before.tasks | (there.tasks or frozenset() if there else frozenset())
                )
                ordered[before.job.id] = Redo(
                    before.job, tasks, before.clears | (there.clears if there else frozenset())
                )
    return list(ordered.values())


def _say_nobody(look: Look, finding: Finding) -> str:
    if finding.what == "unlisted":
        return "nothing calls for it: look at it, and remove it yourself if nobody needs it"
    if finding.key.partition("/")[0] == "ledger" or "/ledger/" in finding.key:
        return "it cannot be made again: remove that file, and its tasks count as not done"
    how = "no job of the ledger has written it" if look.makers.has_ledger else "this layer has no ledger"
    return f"{how}, so nobody knows how to make it: write it again with what made it, or copy it from elsewhere"
