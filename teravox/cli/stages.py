"""Commands that do several jobs one after another: here and now, or by workers at a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

import msgspec
from msgspec import structs

from teravox.cli.command import Command
from teravox.cli.errors import BadOption
from teravox.cli.options import DryRun, EndpointUrl, Parallel, Quiet, Region, TaskTimeout, Tries
from teravox.cli.progress import show_progress
from teravox.cli.say import plain, say_choices, say_tasks
from teravox.cli.where_it_runs import refuse_beside_queue, refuse_without_sqs, typed_here
from teravox.cli.workers_here import USUAL, workers_here
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import AnyJob
from teravox.pipeline.options import Seconds, says
from teravox.pipeline.units import say_seconds

if TYPE_CHECKING:
    from teravox.cli.command import Call
    from teravox.pipeline.stages import Stage

J = TypeVar("J", bound=AnyJob)
Interval = Annotated[Seconds, says("Time between two looks whether the workers are done.", form="seconds")]
ONLY_HERE = ("parallel", "tries", "task_timeout")


class StagedCommand(Command, frozen=True, kw_only=True):
    """How several stages are run: one after another, in processes of this machine or by workers at a queue."""

    words: ClassVar[str]  # of the command

    queue: Annotated[
        str | None,
        says(
            "Queue of the workers that do it: one stage after another is put there, and waited for. The workers must reach "
            "the layers, and be started without --exit-on-empty: between two stages the queue is empty. "
            "Default: it is done here and now.",
            form="queue",
        ),
    ] = None
    interval: Interval = 2.0
    parallel: Parallel = 1
    dry_run: DryRun = False
    tries: Tries = USUAL.tries
    task_timeout: TaskTimeout = None
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    def stages(self) -> list[Stage]:
        """The jobs, which may need layers that are there."""
        raise NotImplementedError

    def together(self, stages: Sequence[Stage]) -> Sequence[Sequence[Stage]]:
        """The stages whose tasks can be counted before the first of them is done."""
        return [stages]

    def check(self, stages: Sequence[Stage]) -> None:
        """Raise BadUsage now for what the last stage could not do when the others are done."""

    def is_overwritten(self, stages: Sequence[Stage]) -> bool:  # noqa: ARG002 - most layers are written by one job
        """Whether what the ledger calls done has been replaced by another job since."""
        return False

    def tidy(self, stages: Sequence[Stage]) -> None:
        """Remove what the stages have left for each other; safe to repeat."""

    def is_forgotten(self) -> bool:
        """Whether the next call of this command begins anew, though nothing has changed that it could see."""
        return False

    def say_plan(self, stages: Sequence[Stage]) -> tuple[Sequence[Stage], Sequence[tuple[str, str]]]:
        """The stages whose tasks can be counted now, and what else there is to say before it is done."""
        raise NotImplementedError

    def report(self, stages: Sequence[Stage]) -> str:
        """What came of it, in a few lines."""
        raise NotImplementedError

    def run(self, call: Call) -> int:
        refuse_what_would_be_ignored(self, call)
        stages = self.stages()
        if self.dry_run:
            show_stages(*self.say_plan(stages))
            return ExitCode.DONE
        self.check(stages)
        say_choices(stages[-1].job, quiet=self.quiet)
        if self.is_overwritten(stages):
            stages[-1].ledger.remove()
        for some in self.together(stages):
            if not some[-1].ledger.finished():
                code = _run_stages(self, self.words if len(some) > 1 else some[0].kind, some, call)
                if code != ExitCode.DONE:
                    return code
        if self.is_forgotten():
            stages[-1].ledger.remove()
        self.tidy(stages)
        if not self.quiet:
            print(plain(self.report(stages)))
        return ExitCode.DONE


def make_job(kind: type[J], said: msgspec.Struct, **more: object) -> J:
    """The job of a kind that the options of a command describe, as far as the kind has them; `more` wins over them."""
    given = {**structs.asdict(said), **more}
    return kind(**{name: given[name] for name in kind.__struct_fields__ if name in given})


def show_stages(stages: Sequence[Stage], lines: Sequence[tuple[str, str]]) -> None:
    """Say what would be done: the tasks of each stage, and whatever else there is to say."""
    counts = [(stage.kind, say_tasks(len(stage.job.pieces()))) for stage in stages]
    for word, text in [*counts, *lines]:
        print(f"{word:20}{plain(text)}")
    print("This was a dry run: nothing was written.")


def refuse_what_would_be_ignored(said: StagedCommand, call: Call) -> None:
    """What was typed for this command must mean something to it; the environment is for many commands."""
    refuse_wrong_place(said.queue, call, ONLY_HERE)


def refuse_wrong_place(queue: str | None, call: Call, only_here: Sequence[str]) -> None:
    """Refuse options that mean nothing with --queue, or nothing without it."""
    typed = typed_here(call.given)
    refuse_beside_queue(typed, queue, only_here)
    if queue is None and "interval" in typed:
        raise BadOption(f"{typed['interval']}: means nothing without --queue")
    refuse_without_sqs(typed, queue)


def _run_stages(said: StagedCommand, name: str, stages: Sequence[Stage], call: Call) -> int:
    if said.queue is None:
        return _run_here(said, name, stages, call)
    return _run_elsewhere(said, said.queue, stages, call)


def _run_here(said: StagedCommand, name: str, stages: Sequence[Stage], call: Call) -> int:
    from teravox.pipeline.stages import run_stages_here

    settings = workers_here(call, said.parallel, tries=said.tries, task_timeout=said.task_timeout)

    def total() -> int:
        return sum(len(stage.job.pieces()) for stage in stages)

    with show_progress(name, total, quiet=said.quiet) as progress:
        outcome = run_stages_here(stages, settings, command=call.command, progress=progress)
    if outcome.stopped_by == "signal":
        print(f"Stopped: {say_tasks(outcome.done)} done. The same command again does the rest.")
    elif not said.quiet:
        failed = f", {outcome.failed:,} failed" if outcome.failed else ""
        print(f"{say_tasks(outcome.done)} done{failed} in {say_seconds(progress.seconds)}.")
    return outcome.exit_code


def _run_elsewhere(said: StagedCommand, url: str, stages: Sequence[Stage], call: Call) -> int:
    from contextlib import closing

    from teravox.pipeline.queues.open import open_queue
    from teravox.pipeline.stages import run_stages_elsewhere

    say: Callable[[str], None] = (lambda _: None) if said.quiet else (lambda text: print(text, flush=True))
    with closing(open_queue(url, region=said.region, endpoint=said.endpoint_url, create=True)) as queue:
        try:
            run_stages_elsewhere(stages, queue, call.registry, command=call.command, interval=said.interval, say=say)
        except KeyboardInterrupt:
            print(f"\nStopped: the tasks of this stage stay in {queue.url}. The same command again goes on.")
            return ExitCode.INTERRUPTED
    return ExitCode.DONE
