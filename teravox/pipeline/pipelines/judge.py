"""Whether a step is done: finished, and after the same things as it would be now."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from msgspec import structs

from teravox.pipeline.pipelines.stamp import Cost, cost_of, make_stamp, read_stamp, write_stamp
from teravox.pipeline.pipelines.work import StepRun


def is_done(step: StepRun, tokens: Sequence[str], *, writes: bool) -> bool:
    """Whether a step is done, after steps with these tokens; its stamps are known then.

    The records of plain commands count where the step needs nothing of the pipeline, and nobody can have changed what
    it reads.
    """
    assert step.made is not None
    ids = [stage.id for stage in step.stages]
    last = step.stages[-1]
    found = read_stamp(last)
    if step.is_redone:
        step.salt = step.salt or secrets.token_hex(8)
    else:
        is_same = found is not None and found.text == make_stamp(ids, tokens, "").text
        step.salt = found.salt if found is not None and is_same else ""
    step.stamps = [make_stamp(ids[: n + 1], tokens, step.salt) for n in range(len(ids))]
    is_like = found is not None and found.is_like(step.stamps[-1])
    if step.is_redone and not is_like:
        return False
    is_finished = last.ledger.finished()
    if step.made.is_overwritten():
        if found is not None and writes:
            write_stamp(last, structs.replace(found, text=""))
        step.is_adopted = False
        return False
    is_begun = is_finished or (len(ids) == 1 and last.ledger.job() is not None)
    step.is_adopted = found is None and not step.work.after and is_begun
    if found is not None and found.costs is not None:
        step.costs = list(found.costs)
    return is_finished and (step.is_adopted or is_like)


def is_stamped(step: StepRun, at: int) -> bool:
    """Whether the records of a stage were made after the same things as now."""
    found = read_stamp(step.stages[at])
    return found is not None and found.is_like(step.stamps[at])


def note_costs(step: StepRun) -> None:
    """Write down beside the last stage that the step is done and what it cost, unless that is there."""
    last = step.stages[-1]
    if not step.costs:
        step.costs = [cost for stage in step.stages for cost in [cost_of(stage)] if cost and cost.totals.tasks]
    found = read_stamp(last)
    if found is not None and found.costs is not None and found.is_like(step.stamps[-1]):
        return
    costs: tuple[Cost, ...] = tuple(step.costs)
    folders = found.folders if found is not None else ()
    write_stamp(last, structs.replace(step.stamps[-1], folders=folders, costs=costs))
