"""The process that runs tasks, one after another, until its supervisor closes the line.

Started as `python -m teravox.pipeline.worker.child FD SETTINGS FD`: the line, and the file for its last words.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, get_args

import msgspec

from teravox.pipeline import last_words
from teravox.pipeline.allowed import allow_only, is_allowed, say_allowed
from teravox.pipeline.errors import BadInput, BadMessage, TeravoxError
from teravox.pipeline.failure import Sort
from teravox.pipeline.job import AnyJob
from teravox.pipeline.limits import check_memory
from teravox.pipeline.message import Task, decode
from teravox.pipeline.registry import Registry
from teravox.pipeline.secrets import redact
from teravox.pipeline.storage.durability import durable_writes
from teravox.pipeline.worker.memory import forget_peak, peak_memory
from teravox.pipeline.worker.wire import Answer, Broke, Done, Finished, Ready, Run, receive_run, send

MOST_TEXT = 16_000  # letters of an error's text or traceback that are kept
LAYER_WORDS = ("file://", "s3://", "gs://", "https://", "http://", "mem://")


class ChildSettings(msgspec.Struct, frozen=True):
    """What a child must know before its first task."""

    plugins: tuple[str, ...]
    allow: tuple[str, ...]
    share: int  # bytes that a task may need
    source: str  # where that limit comes from
    processes: int
    durable: bool = False


def main(argv: list[str]) -> None:
    line = Connection(int(argv[0]))
    settings = msgspec.json.decode(argv[1], type=ChildSettings)
    allow_only(settings.allow)
    last_words.keep_in(int(argv[2]))
    _die_with_supervisor()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the supervisor decides; a terminal or SLURM signals everyone
    faulthandler.enable()
    os.dup2(2, 1)  # what tasks print goes to the log, too
    registry = Registry(settings.plugins)
    send(line, Ready())
    with durable_writes(settings.durable):
        while True:
            try:
                order = receive_run(line)
            except EOFError:
                return
            send(line, _obey(order, registry, settings))


def _obey(order: Run, registry: Registry, settings: ChildSettings) -> Answer:
    started, pulse, cpu = time.time(), time.perf_counter(), time.process_time()
    forget_peak()
    try:
        task = decode(order.body, registry)
        if order.finish:
            return _finish(task)
        _confine(task)
        need = task.job.memory(task.piece)
        check_memory(need, settings.share, settings.source, settings.processes)
        return _run(task, started, pulse, cpu)
    except BaseException as error:  # noqa: BLE001  # also SystemExit: whatever a task raises is its attempt's result
        return _broke(error, started, time.perf_counter() - pulse)


def _run(task: Task, started: float, pulse: float, cpu: float) -> Done:
    from teravox.pipeline.storage.tally import TALLY

    home = task.job.home()
    TALLY.begin(home)
    try:
        task.job.run(task.piece)
    finally:
        tallied = TALLY.end()
    return Done(
        id=task.id,
        kind=task.kind,
        piece=msgspec.Raw(msgspec.json.encode(task.piece)),
        home=home,
        job_id=task.job_id,
        started=started,
        seconds=time.perf_counter() - pulse,
        cpu_seconds=time.process_time() - cpu,
        peak_bytes=peak_memory(),
        bytes_in=tallied.bytes_in,
        bytes_out=tallied.bytes_out,
        outputs=tallied.outputs,
        requests_in=tallied.requests_in,
        requests_out=tallied.requests_out,
    )


def _finish(task: Task) -> Finished:
    from teravox.pipeline.ledger import Ledger, finish_if_complete
    from teravox.pipeline.storage.open import open_store

    ledger = Ledger(open_store(task.job.home()), task.job_id)
    return Finished(task.kind, finish_if_complete(ledger, task.job))


def _broke(error: BaseException, started: float, seconds: float) -> Broke:
    text = str(error) if isinstance(error, TeravoxError) else f"{type(error).__name__}: {error}"
    return Broke(
        sort=_sort(error),
        error=type(error).__name__,
        text=redact(text)[:MOST_TEXT],
        traceback=redact("".join(traceback.format_exception(error)))[-MOST_TEXT:],
        started=started,
        seconds=seconds,
    )


def _sort(error: BaseException) -> Sort:
    if isinstance(error, TeravoxError):
        return error.sort
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, (ConnectionError, TimeoutError)):
        return "transient"
    if isinstance(error, SystemExit):
        return "crashed"
    return "error"


def _confine(task: Task) -> None:
    """Refuse layers that hold `..` or a NUL, or lie outside the places that the operator allowed."""
    for name, url in _layers(task.job):
        if "\0" in url or ".." in url.split("/"):
            raise BadMessage(f"{name} of this task is {url[:200]!r}: a layer's path may hold neither `..` nor NUL")
        if not is_allowed(url):
            raise BadInput(f"{name} of this task is {redact(url)[:200]}, {say_allowed()}")


def _layers(job: AnyJob) -> Iterator[tuple[str, str]]:
    """The fields of a job that hold a place, by their declaration or by what they look like."""
    declared = _layer_fields(type(job))
    for name in job.__struct_fields__:
        value = getattr(job, name)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and (name in declared or text.startswith(LAYER_WORDS)):
                yield name, text


@cache
def _layer_fields(kind: type[AnyJob]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind) if _is_layer(field.type))


def _is_layer(annotation: Any) -> bool:  # Any: whatever the fields of kinds are annotated with
    if isinstance(annotation, msgspec.Meta):
        return (annotation.extra or {}).get("form") in {"layer", "file"}
    return any(map(_is_layer, (*get_args(annotation), *getattr(annotation, "__metadata__", ()))))


def _die_with_supervisor() -> None:
    """End when the supervisor ends, however it ends: by the kernel on Linux, by looking elsewhere."""
    parent = os.getppid()
    if platform.system() == "Linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the supervisor has gone
        main(sys.argv[1:])
