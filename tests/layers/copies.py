"""Runs jobs that copy layers, and reads what they made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from layers.make import Array

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import AnyJob

J = TypeVar("J", bound=AnyJob)
Pieces = list[Any]  # of the job's own type
ALOT = 1 << 40


def do(job: AnyJob, order: Callable[[Pieces], Pieces] = list) -> None:
    """Prepare a job, run its pieces in an order, and finish it."""
    job.prepare()
    run_pieces(job, order(list(job.pieces())))
    job.finish()


def run_pieces(job: AnyJob, pieces: Pieces) -> None:
    for piece in pieces:
        job.run(piece)


def with_memory(job: J, share: float) -> J:
    """The job with so much of the memory that it can use: 0 is what it must have, 1 is for everything in one piece."""
    free = msgspec.structs.replace(job, memory_limit=ALOT)
    most = max(map(free.memory, free.pieces()))
    least, enough = 0, most
    while enough - least > 5000:
        middle = (least + enough) // 2
        try:
            msgspec.structs.replace(job, memory_limit=middle).pieces()
        except BadUsage:
            least = middle
        else:
            enough = middle
    return msgspec.structs.replace(job, memory_limit=int(enough + share * (most - enough)))


def info_of(path: Path | str) -> dict[str, Any]:  # Any: JSON may hold anything
    info: dict[str, Any] = json.loads(Path(path, "info").read_text())
    return info


def read_by_tensorstore(path: str, mip: int = 0) -> Array:
    """All voxels of a mip, as TensorStore reads them; it reads no files that are compressed with gzip."""
    import tensorstore

    store = {"driver": "file", "path": f"{path}/"}
    spec = {"driver": "neuroglancer_precomputed", "kvstore": store, "scale_index": mip}
    return np.asarray(tensorstore.open(spec, read=True).result().read().result())
