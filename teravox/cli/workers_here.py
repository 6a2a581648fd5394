"""The workers that a command starts on this machine for its own tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.worker.settings import WorkerSettings

if TYPE_CHECKING:
    from teravox.cli.command import Call

USUAL = WorkerSettings()


def workers_here(
    call: Call,
    parallel: int,
    *,
    tries: int = USUAL.tries,
    task_timeout: float | None = USUAL.task_timeout,
    durable: bool = USUAL.durable,
) -> WorkerSettings:
    """How they work: until nothing is left to do, and without a word, since the command says how far it is."""
    from teravox.pipeline.limits import granted_cores

    return WorkerSettings(
        processes=parallel or granted_cores(),
        tries=tries,
        task_timeout=task_timeout,
        durable=durable,
        exit_on_empty=True,
        plugins=call.registry.plugins,
        quiet=True,
    )
