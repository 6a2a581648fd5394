"""What a plan asks for: memory, time and workers, with what somebody says instead."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadUsage

if TYPE_CHECKING:
    from teravox.pipeline.planning.plan_file import PlanFile

USUAL_WORKERS = 16  # where no plan says how many
SLACK = 2  # a job may take so many times as long as the plan says
SHORTEST = 3600.0  # seconds; waiting for storage makes estimates of less worthless
UNKNOWN = 86400.0  # seconds, where nobody knows


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be asked for."""

    memory: int  # bytes of the largest task
    workers: int
    seconds: float  # longest time of a job
    most_tasks: int | None  # of the largest step, where that is known
    notes: tuple[str, ...] = ()


def grant(plan: PlanFile | None, *, memory: int | None, workers: int | None, seconds: float | None) -> Granted:
    """What a plan asks for; whatever is said beside it wins. BadUsage where neither knows the memory."""
    notes = []
    if memory is None:
        memory = plan.memory if plan is not None else None
        if memory is None:
            raise BadUsage(f"--memory: the plan does not know what a task needs{_say_why(plan)}; say it")
        if plan is not None and (dark := [step.name for step in plan.steps if step.memory is None]):
            notes.append(
                f"The plan does not know what tasks of {', '.join(dict.fromkeys(dark))} need{_say_why(plan)}: "
                "should they need more than the others, say --memory."
            )
    if workers is None:
        workers = plan.workers if plan is not None else USUAL_WORKERS
    if seconds is None:
        seconds = _longest(plan, workers)
    counts = [] if plan is None else [step.tasks for step in plan.steps]
    known = [count for count in counts if count is not None]
    most_tasks = max(known) if known and len(known) == len(counts) else None
    return Granted(memory=memory, workers=workers, seconds=seconds, most_tasks=most_tasks, notes=tuple(notes))


def _longest(plan: PlanFile | None, workers: int) -> float:
    """Seconds that one element of the array should have: for all of the work, as an element may begin with it."""
    if plan is None or plan.wall_seconds is None:
        return UNKNOWN
    planned = plan.wall_seconds * max(1.0, plan.workers / workers)
    return max(SHORTEST, math.ceil(planned * SLACK / SHORTEST) * SHORTEST)


def _say_why(plan: PlanFile | None) -> str:
    why = [step.why for step in plan.steps if step.memory is None and step.why] if plan is not None else []
    return f" ({why[0]})" if why else ""
