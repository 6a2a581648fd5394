"""What the tests of the kinds of contrast share: grey layers, and jobs that are done in any order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from typing import Any

import numpy as np
from layers.make import Array, Vec
from real_volumes import real

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


def fib25() -> Array:
    """250 voxels cubed of real electron microscopy, as x, y, z and channel."""
    return np.asfortranarray(np.load(real("fib25_medulla/gray_unlabelled.npz"))["gray"].T[..., None])


def slices(array: Array) -> Iterator[tuple[tuple[slice, slice, int, int], Array]]:
    """Where each slice of each channel is, and its voxels."""
    for z in range(array.shape[2]):
        for channel in range(array.shape[3]):
            at = (slice(None), slice(None), z, channel)
            yield at, array[at]
