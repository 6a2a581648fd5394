"""Runs jobs of `segment` here, in any order, and reads what they leave."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from layers.make import Vec, files_of, make_layer
from numpy.typing import NDArray

from teravox.pipeline.layers.layer import within
from teravox.pipeline.operator_modules import name_module
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.segment import Segment

OWN = "segmentation.own_steps"
Array = NDArray[Any]  # of whatever a test asks for

name_module(OWN)  # as --plugin does


def own(name: str, **parameters: Any) -> Step:
    """A step of own_steps.py."""
    return Step(f"{OWN}:{name}", parameters)


def image(
    folder: Path, size: Vec, *, seed: int = 0, offset: Vec = (0, 0, 0), chunk: Vec = (4, 4, 4), **other: Any
) -> str:
    """A layer of smooth random grey values; its path."""
    return make_layer(folder, grey(size, seed), offset=offset, chunk=chunk, **other)


def grey(size: Vec, seed: int = 0) -> Array:
    values = np.random.default_rng(seed).normal(size=size)
    for axis in range(3):
        values = values + np.roll(values, 1, axis) + np.roll(values, 2, axis)
    values = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    return np.asfortranarray(np.round(values * 255).astype(np.uint8)[..., np.newaxis])


def run(job: Segment, *, order: random.Random | None = None, repeat: bool = False) -> None:
    """Do a job here, its pieces in any order and, with `repeat`, some of them twice."""
    job.prepare()
    pieces = list(job.pieces())
    if order is not None:
        if repeat:
            pieces += order.sample(pieces, len(pieces) // 2)
        order.shuffle(pieces)
    for piece in pieces:
        job.run(piece)
    job.finish()


def blocks_of(dest: str) -> dict[str, bytes]:
    """What a job has left, without the record of who did it and when."""
    return {name: data for name, data in files_of(dest).items() if name not in ("provenance", "info")}


def assemble(dest: str) -> Array:
    """The global ids of all blocks' cores, unstitched: x, y, z."""
    segmented = Segmented.open(dest)
    bounds = segmented.grid.bounds
    whole = np.zeros(bounds.size, np.uint64, order="F")
    for index in segmented.blocks.used:
        whole[within(segmented.grid[index], bounds)] = segmented.global_ids(index, segmented.core(index))
    return whole
