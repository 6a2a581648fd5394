"""What the tests of the kinds of contrast share: grey layers, and jobs that are done in any order."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import Array, Vec, files_of

from teravox.pipeline.job import AnyJob

Pieces = list[Any]  # of whatever a kind's pieces are


def grey(size: Vec, dtype: str, *, channels: int = 1, seed: int = 0) -> Array:
    """Noise that gets brighter from slice to slice, with some background."""
    random = np.random.default_rng(seed)
    most = np.iinfo(dtype).max
    centre = np.linspace(0.3, 0.6, size[2])[:, None] * most
    values = random.normal(centre, 0.1 * most, (*size, channels))
    values[random.random(values.shape) < 0.1] = 0
    return np.asfortranarray(values.clip(0, most).astype(dtype))


def do(job: AnyJob, order: Callable[[Pieces], Pieces] = list) -> None:
    job.prepare()
    for piece in order(list(job.pieces())):
        job.run(piece)
    job.finish()


def chunks(path: str) -> dict[str, bytes]:
    """The files of a layer that tasks write."""
    return {key: data for key, data in files_of(path).items() if "/" in key}


def do_side_by_side(job: AnyJob) -> None:
    """Three processes do overlapping parts of a job, each in an order of its own."""
    job.prepare()
    pieces = list(job.pieces())
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_run, args=(job, part)) for part in (pieces, pieces[::-1], pieces[::2])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


def _run(job: AnyJob, pieces: Pieces) -> None:
    for piece in pieces:
        job.run(piece)


RUN_ALONE = """
import importlib, sys, msgspec
from pathlib import Path
module, name, text = sys.argv[1:]
job = msgspec.json.decode(text, type=getattr(importlib.import_module(module), name))
job.run(job.pieces()[0])
status = Path("/proc/self/status").read_text()  # ru_maxrss would tell of the parent, too
print(int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


def measure_memory(job: AnyJob) -> int:
    """The most bytes that the first piece of a prepared job takes in a process of its own."""
    kind = type(job)
    words = [kind.__module__, kind.__name__, msgspec.json.encode(job).decode()]
    ran = subprocess.run([sys.executable, "-c", RUN_ALONE, *words], capture_output=True, text=True, check=True)
    return int(ran.stdout)


def fib25() -> Array:
    """250 voxels cubed of real electron microscopy, as x, y, z and channel."""
    folder = os.environ.get("TERAVOX_DATA")
    if folder is None:
        pytest.skip("TERAVOX_DATA names no folder with real volumes")
    file = Path(folder, "fib25_medulla/gray_unlabelled.npz")
    if not file.is_file():
        pytest.skip(f"there is no {file}")
    return np.asfortranarray(np.load(file)["gray"].T[..., None])


def slices(array: Array) -> Iterator[tuple[tuple[slice, slice, int, int], Array]]:
    """Where each slice of each channel is, and its voxels."""
    for z in range(array.shape[2]):
        for channel in range(array.shape[3]):
            at = (slice(None), slice(None), z, channel)
            yield at, array[at]
