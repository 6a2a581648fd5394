"""What `teravox verify` says, and how it repairs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import msgspec

from teravox.cli.progress import make_bar, show_progress
from teravox.cli.say import plain, say_tasks
from teravox.cli.workers_here import workers_here
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.verification.redo import Redo, count, is_independent, redo_elsewhere, redo_here
from teravox.pipeline.verification.repair import Refused, RepairPlan, plan_repair
from teravox.pipeline.verification.rounds import repair_here
from teravox.pipeline.verification.verify import Progress, Verified, open_look, verify
from teravox.pipeline.worker.settings import Outcome

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from teravox.cli.command import Call
    from teravox.cli.commands.verify import Verify
    from teravox.pipeline.verification.look import Look

MOST_REFUSED = 100  # lines that say what cannot be repaired


@contextmanager
def watch(*, quiet: bool) -> Iterator[Progress]:
    """How far a verification is, as a bar on a terminal and nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield Progress()
        return
    with make_bar() as bar:
        yield _Shown(bar)


class _Shown(Progress):
    """Keeps a bar up to date."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("verify", total=None, note="")

    def begin(self, steps: int) -> None:
        self._bar.update(self._task, total=steps)

    def enter(self, place: str) -> None:
        self._bar.update(self._task, description=f"verify {place}")

    def step(self, steps: int) -> None:
        self._bar.advance(self._task, steps)


def show(verified: Verified, limit: int, *, quiet: bool) -> None:
    """Print what was found, and unless it is to be quiet what was looked at."""
    for finding in verified.findings[:limit]:
        by = "" if finding.task is None else f" ({finding.task.kind})"
        print(f"{finding.what:12}{plain(finding.key)}: {plain(finding.sentence)}{by}")
    total = sum(verified.found.values())
    if total > limit:
        print(f"… and {total - limit:,} more; see all with --limit {total} or --json")
    if quiet:
        return
    for what, number in verified.counts.items():
        print(f"{plain(what)}: {number:,}")
    if verified.is_sound:
        print(f"{verified.layer} is sound, as far as was looked.")
        return
    said = ", ".join(f"{number:,} {what}" for what, number in verified.found.items())
    how = f"teravox verify {shlex.quote(verified.layer.removeprefix('file://'))} --repair"
    is_known = any(finding.task is not None for finding in verified.findings)
    remedy = f" Repair it with: {how}" if is_known else ""
    print(f"{verified.layer} is not sound: {said}.{remedy}")


def repair(said: Verify, look: Look, verified: Verified, call: Call) -> int:
    """Do what is needed, or put it into a queue; the exit code."""
    if said.queue is not None:
        return _enqueue(said, said.queue, plan_repair(look, verified.findings), call)
    return _repair_here(said, look, verified, call)


def _repair_here(said: Verify, look: Look, verified: Verified, call: Call) -> int:
    def again() -> tuple[Look, Verified]:
        with watch(quiet=said.quiet or said.json) as progress:
            new = open_look(said.layer, look.how, call.registry)
            return new, verify(new, said.only, progress)

    repaired = repair_here(look, verified, lambda redo: _redo(said, redo, call), again)
    if repaired.stopped is not None:
        redo, outcome = repaired.stopped
        if outcome.stopped_by == "signal":
            print(f"Stopped: {say_tasks(repaired.tasks)} done. The same command does the rest.")
            return ExitCode.INTERRUPTED
        print(f"{say_tasks(outcome.failed)} of {redo.job.record.kind} failed, so nothing further is repaired.")
        return outcome.exit_code
    if said.json:
        print(msgspec.json.encode(repaired.verified).decode())
    else:
        _tell(repaired.refused)
        show(repaired.verified, said.limit, quiet=said.quiet)
        if not said.quiet:
            print(f"{say_tasks(repaired.tasks)} done for it.")
    return ExitCode.DONE if repaired.verified.is_sound else ExitCode.FAILED


def _redo(said: Verify, redo: Redo, call: Call) -> Outcome:
    title = f"repair: {redo.job.record.kind}"
    with show_progress(title, lambda: count(redo), quiet=said.quiet or said.json) as progress:
        return redo_here(redo, workers_here(call, said.parallel), progress)


def _enqueue(said: Verify, url: str, plan: RepairPlan, call: Call) -> int:
    """Put those tasks into a queue that need not wait for each other, and say what is to follow."""
    from teravox.pipeline.queues.open import open_queue

    _tell(plan.refused)
    if plan.restores_info:
        print("The info comes first, and is not a matter of tasks: leave --queue out, and give this command again.")
        return ExitCode.FAILED
    now = [redo for number, redo in enumerate(plan.redo) if not number or is_independent(redo)]
    later = sum(count(redo) for redo in plan.redo) - sum(map(count, now))
    tasks = 0
    with closing(open_queue(url, region=said.region, endpoint=said.endpoint_url, create=True)) as queue:
        with show_progress("repair", lambda: sum(map(count, now)), quiet=said.quiet or said.json) as progress:
            for redo in now:
                tasks += redo_elsewhere(redo, queue, progress)
        place = queue.url
    if said.json:
        print(msgspec.json.encode({"queue": place, "tasks": tasks, "later": later, "refused": plan.refused}).decode())
    elif now and not tasks and not said.quiet:
        print("All tasks were done, and now the ends of their jobs are, too.")
    elif tasks and not said.quiet:
        more = (
            f"\n{say_tasks(later)} more must wait for these: give this command again when they are done."
            if later
            else ""
        )
        print(
            f"{say_tasks(tasks)} {'is' if tasks == 1 else 'are'} in {place}. Work on them with: teravox execute {shlex.quote(call.given['queue'].text)}{more}"
        )
    return ExitCode.FAILED if plan.refused else ExitCode.DONE


def _tell(refused: list[Refused]) -> None:
    """Name what cannot be repaired, and what to do about it."""
    for key, why in refused[:MOST_REFUSED]:
        print(f"not repaired {plain(key)}: {plain(why)}")
    if len(refused) > MOST_REFUSED:
        print(f"… and {len(refused) - MOST_REFUSED:,} more")
