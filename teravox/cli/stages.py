"""Commands that do several jobs one after another: here and now, or by workers at a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import msgspec
from msgspec import structs

from teravox.cli.errors import BadOption
from teravox.cli.progress import show_progress
from teravox.cli.say import plain, say_tasks
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import AnyJob
from teravox.pipeline.options import Seconds, says
from teravox.pipeline.units import say_seconds
from teravox.pipeline.worker.settings import WorkerSettings

if TYPE_CHECKING:
    from teravox.cli.command import Call
    from teravox.pipeline.stages import Stage

J = TypeVar("J", bound=AnyJob)
Interval = Annotated[Seconds, says("Time between two looks whether the workers are done.", form="seconds")]
USUAL = WorkerSettings()
_ONLY_HERE = ("parallel", "tries", "task_timeout")


class Staged(Protocol):
    """The options that all such commands have."""

    @property
    def queue(self) -> str | None: ...
    @property
    def interval(self) -> float: ...
    @property
    def parallel(self) -> int: ...
    @property
    def tries(self) -> int: ...
    @property
    def task_timeout(self) -> float | None: ...
    @property
    def quiet(self) -> bool: ...
    @property
    def region(self) -> str | None: ...
    @property
    def endpoint_url(self) -> str | None: ...


def run_stages(said: Staged, name: str, stages: Sequence[Stage], call: Call) -> int:
    """Do the stages of a command; its exit code."""
    if said.queue is None:
        return _run_here(said, name, stages, call)
    return _run_elsewhere(said, said.queue, stages, call)


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


def refuse_what_would_be_ignored(said: Staged, call: Call) -> None:
    """What was typed for this command must mean something to it; the environment is for many commands."""
    typed = {name: one.label for name, one in call.given.items() if one.by == "command line"}
    here = _ONLY_HERE if said.queue is not None else ("interval",)
    for name in here:
        if name in typed and said.queue is not None:
            raise BadOption(f"{typed[name]}: means nothing with --queue; say it to `teravox execute`")
        if name in typed:
            raise BadOption(f"{typed[name]}: means nothing without --queue")
    if said.queue is None or said.queue.startswith("fq://"):
        for name in ("region", "endpoint_url"):
            if name in typed:
                raise BadOption(f"{typed[name]}: means nothing without an SQS queue in --queue")


def _run_here(said: Staged, name: str, stages: Sequence[Stage], call: Call) -> int:
    from teravox.pipeline.limits import granted_cores
    from teravox.pipeline.stages import run_stages_here

    settings = WorkerSettings(
        processes=said.parallel or granted_cores(),
        tries=said.tries,
        task_timeout=said.task_timeout,
        exit_on_empty=True,
        plugins=call.registry.plugins,
        quiet=True,
    )

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


def _run_elsewhere(said: Staged, url: str, stages: Sequence[Stage], call: Call) -> int:
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
