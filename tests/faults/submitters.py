"""Processes that put a drill's tasks into a queue, and can be killed at any moment."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_long
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from faults.drills import drill

from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.submit import submit

FORKS = multiprocessing.get_context("forkserver")  # each start is quick, and a copy of a process with one thread
FORKS.set_forkserver_preload(["pytest", "faults.submitters"])  # what each process would import


@contextmanager
def submitters() -> Iterator[None]:
    """What starts submitters is gone after the block."""
    yield
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]  # it has no public end
    multiprocessing.resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # as above


@contextmanager
def submitting(queue: Path, layer: Path, count: int) -> Iterator[tuple[ForkServerProcess, c_long]]:
    """A process that puts a drill into a queue, and how many tasks it has said are safe; killed after the block."""
    safe = FORKS.RawValue(c_long, 0)
    process = FORKS.Process(target=_submit, args=(queue, layer, count, safe))
    process.start()
    try:
        yield process, safe
    finally:
        process.kill()
        process.join()
        process.close()


def _submit(queue: Path, layer: Path, count: int, safe: c_long) -> None:
    def progress(more: int) -> None:
        safe.value += more  # the only writer

    job = drill(layer, count)
    submit(job, "drill", FolderQueue(queue, create=True), resume=False, command="", progress=progress)
