"""Repairs here and now: in rounds, each verified again, until all is sound or nothing gets better."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from teravox.pipeline.errors import BadInput, BadUsage, Fatal
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.redo import Redo
from teravox.pipeline.verification.repair import Refused, plan_repair
from teravox.pipeline.verification.restore_info import KEY, restore_info
from teravox.pipeline.verification.verify import Verified
from teravox.pipeline.worker.settings import Outcome

MOST_ROUNDS = 6  # what is made of a repaired object may turn out to be wrong only then


class Repaired(NamedTuple):
    """What came of it."""

    verified: Verified  # the last time
    tasks: int
    refused: list[Refused]
    stopped: tuple[Redo, Outcome] | None  # the job at which it ended early: tasks failed, or a signal came


def repair_here(
    look: Look, verified: Verified, do: Callable[[Redo], Outcome], again: Callable[[], tuple[Look, Verified]]
) -> Repaired:
    """Do what is needed job by job; `do` does the tasks of one, `again` verifies the layer anew."""
    tasks = 0
    refused: list[Refused] = []
    for _ in range(MOST_ROUNDS):
        plan = plan_repair(look, verified.findings)
        refused = list(plan.refused)
        if plan.restores_info and (why := restore_info(look)) is not None:
            refused.append(Refused(KEY, why))
            break
        if not plan.redo and not plan.restores_info:
            break
        for redo in plan.redo:
            try:
                outcome = do(redo)
            except (BadInput, BadUsage, Fatal) as error:  # what it reads has gone, or is not as it was
                place = f"{redo.job.prefix}ledger/{redo.job.id}"
                refused.append(Refused(place, f"{redo.job.record.kind}: {error}"))
                continue
            tasks += outcome.done
            if outcome.stopped_by == "signal" or outcome.exit_code != ExitCode.DONE:
                return Repaired(verified, tasks, refused, (redo, outcome))
        before = _names(verified)
        look, verified = again()
        if verified.is_sound or _names(verified) == before:
            break
    return Repaired(verified, tasks, [] if verified.is_sound else refused, None)


def _names(verified: Verified) -> set[tuple[str, str]]:
    return {(finding.what, finding.key) for finding in verified.findings}
