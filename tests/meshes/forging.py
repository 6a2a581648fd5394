"""Makes layers of labels, and forges and merges their meshes as tasks do, here and in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from layers.make import make_layer
from meshes.neurites import Labels
from meshes.quality import Resolution, Vec

from teravox.pipeline.job import AnyJob
from teravox.pipeline.registry import Registry

Order = Callable[[Sequence[Any]], Sequence[Any]]  # of the pieces of a job, whatever they are
MERGE_ONLY = ("format", "num_lods", "vqb", "min_chunk_size")


RESOLUTION: Resolution = (16.0, 16.0, 40.0)
HALF_VOXEL = np.array(RESOLUTION) / 2
CHUNK = (32, 32, 32)


def layer_of(folder: Path, volume: Labels, offset: Vec = (0, 0, 0)) -> str:
    return make_layer(
        folder,
        volume[..., np.newaxis],
        chunk=CHUNK,
        offset=offset,
        type="segmentation",
        encoding="compressed_segmentation",
        compress=False,
        resolution=RESOLUTION,
    )


def job(kind: str, layer: str, **options: Any) -> AnyJob:  # Any: what the kind's fields are
    found = Registry().find(kind)
    assert found is not None
    return msgspec.convert({"layer": layer, **options}, found)


def do(job: AnyJob, order: Order = list) -> None:
    job.prepare()
    for piece in order(job.pieces()):
        job.run(piece)
    job.finish()


def mesh(layer: str, order: Order = list, **options: Any) -> None:
    """Forge and merge, with the options of either."""
    merging = {name: options.pop(name) for name in MERGE_ONLY if name in options}
    do(job("mesh forge", layer, **options), order)
    do(job("mesh merge", layer, **merging), order)
