"""Makes layers of small arrays, all in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from layers.make import Array, Vec, voxels

from teravox.pipeline.box import Box
from teravox.tasks.create import Create

NM = (4.0, 4.0, 40.0)
CHUNK = (16, 16, 8)


def create(src: Path | str, dest: Path, order: Callable[[list[Box]], list[Box]] = list, **options: Any) -> Create:
    """Make a layer, all in this process; the job."""
    options = {"resolution": NM, "chunk_size": CHUNK} | options
    job = Create(str(src), str(dest), **options)
    job.prepare()
    for piece in order(list(job.pieces())):
        job.run(piece)
    job.finish()
    return job


def grey(size: Vec = (45, 33, 20), dtype: str = "uint16") -> Array:
    return voxels(size, dtype)[..., 0]
