"""Runs a pipeline file: checks all of it, asks what must be asked, drives it, and says what came of it."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from teravox.cli.ask import is_agreed
from teravox.cli.command import Call
from teravox.cli.pipeline_steps import MadeStep, open_steps
from teravox.cli.run_end import print_costs, say_layer, say_letters
from teravox.cli.run_kind import say_worker
from teravox.cli.run_show import show_steps
from teravox.cli.say import plain, say_tasks
from teravox.pipeline.errors import BadInput, BadUsage, Fatal, TeravoxError
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.worker.settings import WorkerSettings

if TYPE_CHECKING:
    from teravox.pipeline.pipelines.drive import Driver
    from teravox.pipeline.pipelines.elsewhere import Elsewhere
    from teravox.pipeline.pipelines.here import Here
    from teravox.pipeline.pipelines.pipeline import Pipeline
    from teravox.pipeline.pipelines.summary import MadeLayer
    from teravox.pipeline.pipelines.work import StepRun


class HowItIsDriven(msgspec.Struct, frozen=True, kw_only=True):
    """Which steps are done, where, and what is said of it."""

    settings: Mapping[str, str] = {}
    folder: str | None = None  # that paths are relative to
    only: tuple[str, ...] = ()
    begin: str | None = None
    until: str | None = None
    redo: tuple[str, ...] = ()
    yes: bool = False
    dry_run: bool = False
    queue: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    interval: float = 2.0
    worker: WorkerSettings = WorkerSettings()
    quiet: bool = False
    json: bool = False


def run_file(path: str, how: HowItIsDriven, call: Call) -> int:
    """Run a pipeline file, or only look at it; the exit code."""
    worker = structs.replace(how.worker, plugins=tuple(map(_whole, call.registry.plugins)))
    how = structs.replace(how, worker=worker)
    with _within(how.folder):
        try:
            return _run(path, how, call)
        except KeyboardInterrupt:  # between two steps; within them workers heed the signal
            return _stopped(how)


def _run(path: str, how: HowItIsDriven, call: Call) -> int:
    from teravox.cli.catalog import Catalog
    from teravox.pipeline.pipelines.drive import Driver
    from teravox.pipeline.pipelines.order import choose_steps
    from teravox.pipeline.pipelines.read import read_pipeline

    pipeline = read_pipeline(path, how.settings)
    works = open_steps(pipeline, Catalog(call.registry), call.registry)
    agreed: set[str] = set()
    with _place(how, call) as place:
        driver = Driver(
            works,
            place,
            wanted=choose_steps(pipeline.steps, how.only, how.begin, how.until, how.redo),
            redo=set(how.redo),
            command=call.command,
            agreed=lambda name, _: how.yes or name in agreed,
            writes=not how.dry_run,
        )
        driver.advance(begin=False)
        _refuse(driver, pipeline)
        if how.dry_run:
            _show_plan(driver)
            return ExitCode.DONE
        questions = list(_questions(driver))
        if questions and not how.yes:
            if not is_agreed("\n".join(f"{name}: {question}" for name, question in questions), yes=False):
                return ExitCode.FAILED
            agreed.update(name for name, _ in questions)
        return _drive(driver, place, pipeline, how, call)


def _drive(driver: Driver, place: Here | Elsewhere, pipeline: Pipeline, how: HowItIsDriven, call: Call) -> int:
    from teravox.pipeline.pipelines.here import Here
    from teravox.pipeline.pipelines.run import drive_elsewhere, drive_here

    began = time.monotonic()
    stopped = False
    code = ExitCode.DONE
    with show_steps(driver.steps, quiet=how.quiet) as show:
        driver.hear(show)
        if not driver.is_over:
            if isinstance(place, Here):
                outcome = drive_here(driver, place, how.worker)
                stopped = outcome.stopped_by == "signal"
                code = ExitCode.FATAL if outcome.stopped_by == "fatal" else ExitCode.DONE
            else:
                if not how.quiet and how.queue is not None:
                    worker = say_worker(call, how.queue.removeprefix("fq://"), how.region, how.endpoint_url)
                    _complain(f"The tasks go into {how.queue}. Work on them with: {worker}")
                stopped = not drive_elsewhere(driver)
    if stopped:
        return _stopped(how)
    return _end(driver, place, pipeline, how, code, time.monotonic() - began)


def _stopped(how: HowItIsDriven) -> ExitCode:
    stays = f" The tasks that are not done stay in {how.queue}." if how.queue is not None else ""
    print(f"Stopped.{stays} The same command again goes on where it was.")
    return ExitCode.INTERRUPTED


def _end(
    driver: Driver, place: Here | Elsewhere, pipeline: Pipeline, how: HowItIsDriven, code: ExitCode, seconds: float
) -> int:
    from teravox.pipeline.pipelines.summary import RunSummary, find_layers, sum_up

    is_done = all(step.state == "done" or not step.is_wanted for step in driver.steps)
    _say_failures(driver, place, how)
    summary = RunSummary(
        file=pipeline.path,
        is_done=is_done,
        seconds=seconds,
        steps=tuple(map(sum_up, driver.steps)),
        layers=find_layers(driver.steps),
    )
    if how.json:
        print(msgspec.json.encode(summary).decode())
    elif not how.quiet:
        print_costs(summary)
        _say_what_was_made(driver, summary.layers)
    if all(step.state == "done" for step in driver.steps):
        urls = _save_scene(pipeline) or [layer.url for layer in summary.layers]
        if urls and not (how.quiet or how.json):
            shown = [_shown(url, how.folder) for url in urls]
            print(f"Look at it with: {shlex.join(['teravox', 'view', *shown])}")
    return code or (ExitCode.DONE if is_done else ExitCode.FAILED)


def _refuse(driver: Driver, pipeline: Pipeline) -> None:
    """Raise now what is known to be wrong with steps that could begin."""
    for step in driver.steps:
        trouble: TeravoxError | None = None
        if step.state == "failed":
            trouble = next((kind for kind in (BadUsage, Fatal) if kind.exit_code == step.exit_code), BadInput)(
                step.note
            )
        elif step.state == "ready" and step.made is not None:
            try:
                step.made.check()
                len(step.stages[0].job.pieces())
            except TeravoxError as error:
                trouble = error
        if trouble is not None:
            raise type(trouble)(f"{pipeline.path}: step {step.name!r}: {trouble}") from None


def _questions(driver: Driver) -> Iterator[tuple[str, str]]:
    """What steps would ask, as far as their jobs can be made now."""
    for step in driver.steps:
        if step.is_over or not step.is_wanted:
            continue
        try:
            stages = step.stages if step.made is not None else step.work.make().stages
            asked = [stage.job.question() for stage in stages]
        except TeravoxError:  # what it needs is not there yet: it asks when its turn comes
            continue
        yield from ((step.name, question) for question in asked if question is not None)


def _show_plan(driver: Driver) -> None:
    width = max(len(step.name) for step in driver.steps) + 2
    for step in driver.steps:
        print(plain(f"{step.name:{width}}{_say_plan(step)}"))
    print("This was a dry run: nothing was written.")


def _say_plan(step: StepRun) -> str:
    if step.state == "done":
        return "is done already"
    if step.state == "left":
        return step.note
    if step.state == "waiting":
        return f"{step.work.do}, after {', '.join(step.work.after)}"
    first = step.stages[0]
    more = f" of {first.kind}, and {len(step.stages) - 1} more stages" if len(step.stages) > 1 else ""
    return f"{step.work.do}: {say_tasks(len(first.job.pieces()))}{more}"


def _say_failures(driver: Driver, place: Here | Elsewhere, how: HowItIsDriven) -> None:
    from teravox.pipeline.pipelines.here import Here

    failed = [step for step in driver.steps if step.state == "failed"]
    for step in driver.steps if not failed else ():
        if step.is_wanted and step.state == "left":
            _complain(f"{step.name} was not begun: {step.note}")
    for step in failed:
        _complain(f"{step.name}: {step.note}")
        if not step.failed:
            continue
        if isinstance(place, Here):
            for line in say_letters(list(place.letters(step.stage))):
                _complain(line)
            _complain("  When the cause is gone, the same command again does these tasks and what waits for them")
        else:
            _complain(
                f"  see: teravox queue failed {how.queue} --match '{step.stage.kind}'; when the cause is gone, "
                "the same command again puts them back"
            )


def _say_what_was_made(driver: Driver, layers: tuple[MadeLayer, ...]) -> None:
    followed = {name for step in driver.steps for name in step.work.after}  # whose reports name the next command
    for step in driver.steps:
        is_new = step.state == "done" and step.is_wanted and not step.was_done
        if is_new and step.name not in followed and isinstance(step.made, MadeStep):
            report = step.made.report()
            if report:
                print(plain(report))
    for layer in layers:
        print(plain(say_layer(layer)))


def _save_scene(pipeline: Pipeline) -> list[str]:
    """Save the scene, if the file says one; what to look at."""
    scene = pipeline.scene
    if scene is None:
        return []
    if scene.output is None:
        return list(scene.layers)
    from teravox.pipeline.view.scene import save_scene

    save_scene(scene.layers, scene.output)
    return [scene.output]


def _shown(url: str, folder: str | None) -> str:
    """A place as it can be typed where the command was."""
    url = plain(url).removeprefix("file://")
    return url if folder is None or "://" in url else str(Path(url).expanduser().absolute())


@contextlib.contextmanager
def _place(how: HowItIsDriven, call: Call) -> Iterator[Here | Elsewhere]:
    """Where tasks are done; a dry run makes no queue."""
    from teravox.pipeline.pipelines.elsewhere import Elsewhere
    from teravox.pipeline.pipelines.here import Here
    from teravox.pipeline.queues.open import open_queue

    if how.queue is None or how.dry_run:
        yield Here()
        return
    queue = open_queue(how.queue, region=how.region, endpoint=how.endpoint_url, create=True)
    with contextlib.closing(queue):
        yield Elsewhere(queue, call.registry, how.interval)


@contextlib.contextmanager
def _within(folder: str | None) -> Iterator[None]:
    """As if the command had been typed in this folder."""
    if folder is None:
        yield
        return
    if not Path(folder).is_dir():
        raise BadUsage(f"--folder: there is no folder {folder}")
    with contextlib.chdir(folder):
        yield


def _whole(plugin: str) -> str:
    """A plugin's file, wherever --folder leads."""
    return str(Path(plugin).absolute()) if plugin.endswith(".py") else plugin


def _complain(text: str) -> None:
    print(plain(text), file=sys.stderr, flush=True)
