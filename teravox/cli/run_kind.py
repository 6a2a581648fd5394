"""A job is done here and now, put into a queue, or only looked at."""

from __future__ import annotations

import shlex
from typing import Annotated

import msgspec

from teravox.cli.ask import is_agreed
from teravox.cli.command import Call
from teravox.cli.options import DryRun, Durable, EndpointUrl, Parallel, Quiet, Region, TaskTimeout, Tries, Yes
from teravox.cli.progress import show_progress
from teravox.cli.say import plain, say_choices, say_tasks
from teravox.cli.where_it_runs import refuse_beside_queue, refuse_without_sqs, typed_here
from teravox.cli.workers_here import USUAL, workers_here
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import AnyJob, Job
from teravox.pipeline.options import says
from teravox.pipeline.units import say_seconds

_ONLY_HERE = ("parallel", "tries", "task_timeout", "durable")


class HowItIsRun(msgspec.Struct, frozen=True, kw_only=True):
    """The options that every kind has."""

    queue: Annotated[
        str | None,
        says(
            "Queue to put the tasks into for workers: a folder, which is made if it is not there, or sqs://NAME. "
            "Default: the tasks are done here and now.",
            form="queue",
        ),
    ] = None
    parallel: Parallel = 1
    dry_run: DryRun = False
    resume: Annotated[bool, says("Leave out the tasks that are done already, as the ledger beside the layer says.")] = (
        False
    )
    tries: Tries = USUAL.tries
    task_timeout: TaskTimeout = None
    durable: Durable = False
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None


class HowItIsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The option of those kinds that ask before something is lost."""

    yes: Yes = False


def asks(kind: type[AnyJob]) -> bool:
    """Whether a kind may ask before it is done."""
    return kind.question is not Job.question


def run_kind(kind: str, job: AnyJob, how: HowItIsRun, asked: HowItIsAsked, call: Call) -> int:
    """Do what was asked for with a job; the exit code."""
    typed = typed_here(call.given)
    refuse_beside_queue(typed, how.queue, _ONLY_HERE)
    refuse_without_sqs(typed, how.queue)
    if how.dry_run:
        from teravox.cli.dry_run import show_plan

        show_plan(kind, job, resume=how.resume)
        return ExitCode.DONE
    question = job.question()
    if question is not None and not is_agreed(question, yes=asked.yes):
        return ExitCode.FAILED
    say_choices(job, quiet=how.quiet)
    if how.queue is not None:
        return _enqueue(kind, job, how.queue, how, call)
    return _do_here(kind, job, how, call)


def _enqueue(kind: str, job: AnyJob, url: str, how: HowItIsRun, call: Call) -> int:
    from teravox.pipeline.queues.open import open_queue
    from teravox.pipeline.submit import submit

    queue = open_queue(url, region=how.region, endpoint=how.endpoint_url, create=True)
    with show_progress(kind, lambda: len(job.pieces()), quiet=how.quiet) as progress:
        try:
            submitted = submit(job, kind, queue, resume=how.resume, command=call.command, progress=progress)
        except KeyboardInterrupt:
            of = f" of {progress.total:,}" if progress.total is not None else ""
            print(f"\nStopped: {progress.done:,}{of} tasks are safely in {queue.url}. {_how_to_go_on(url)}")
            return ExitCode.INTERRUPTED
        finally:
            queue.close()
    if not how.quiet:
        done = f" Left out, since they are done: {submitted.skipped:,}." if submitted.skipped else ""
        number = submitted.new + submitted.known
        worker = say_worker(call, call.given["queue"].text, how.region, how.endpoint_url)
        print(
            f"{say_tasks(number)} {'is' if number == 1 else 'are'} in {queue.url} "
            f"({submitted.known:,} were there already).{done} Work on them with: {worker}"
        )
    return ExitCode.DONE


def _do_here(kind: str, job: AnyJob, how: HowItIsRun, call: Call) -> int:
    from teravox.pipeline.submit import run_here

    settings = workers_here(call, how.parallel, tries=how.tries, task_timeout=how.task_timeout, durable=how.durable)
    with show_progress(kind, lambda: len(job.pieces()), quiet=how.quiet) as progress:
        outcome = run_here(job, kind, settings, resume=how.resume, command=call.command, progress=progress)
    if outcome.stopped_by == "signal":
        print(f"Stopped: {say_tasks(outcome.done)} done. The same command with --resume does the rest.")
        return ExitCode.INTERRUPTED
    if not how.quiet:
        failed = f", {outcome.failed:,} failed" if outcome.failed else ""
        print(f"{say_tasks(outcome.done)} done{failed} in {say_seconds(progress.seconds)}.")
        if outcome.exit_code == ExitCode.DONE and (report := job.report()) is not None:
            print(plain(report))
    return outcome.exit_code


def _how_to_go_on(url: str) -> str:
    if url.startswith("fq://"):
        return "The same command again adds only the rest."
    return (
        "SQS cannot see what it holds already, so the same command again adds them all: wait until these are done, "
        "and add --resume to leave them out."
    )


def say_worker(call: Call, queue: str, region: str | None, endpoint_url: str | None) -> str:
    """The command of a worker at a queue, with the plugins that are named here."""
    words = ["teravox"]
    for plugin in call.registry.plugins:
        words += ["--plugin", plugin]
    words += ["execute", queue]
    if region:
        words += ["--region", region]
    if endpoint_url:
        words += ["--endpoint-url", endpoint_url]
    return shlex.join(words)
