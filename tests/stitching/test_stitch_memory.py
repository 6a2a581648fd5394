"""A stage of stitching needs no more memory than it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from memory_alone import measure_memory
from numpy.typing import NDArray
from stitching.make_blocks import cut_into_blocks, run_all

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Vec
from teravox.pipeline.job import AnyJob
from teravox.tasks.stitch.match import Match
from teravox.tasks.stitch.relabel import Relabel
from teravox.tasks.stitch.resolve import Resolve

AT_ONCE = 2_000_000  # bytes that are taken from the system at a time, however few are needed


def noise(size: Vec) -> NDArray[np.uint32]:
    """What takes most: a label and a pair for nearly every voxel."""
    return np.asfortranarray(np.random.default_rng(0).integers(0, 10**5, size, dtype=np.uint32))


def test_no_stage_needs_more_memory_than_it_says(tmp_path: Path) -> None:
    stages: dict[str, list[AnyJob]] = {}
    for name, size, shape, chunk in (
        ("small", (16, 8, 8), (8, 8, 8), (8, 8, 8)),
        ("large", (96, 80, 64), (48, 80, 64), (48, 40, 32)),
    ):
        layer = cut_into_blocks(
            tmp_path / name, noise(size), shape=shape, halo=(12, 4, 4), chunk=chunk, connectivity=None
        )
        for job in (Match(layer=layer), Resolve(layer=layer), Resolve(layer=layer, step=2), Relabel(layer=layer)):
            run_all(job)
            stages.setdefault(f"{type(job).__name__} {getattr(job, 'step', '')}", []).append(job)
    for stage, jobs in stages.items():
        promised = jobs[1].memory(jobs[1].pieces()[0])
        peak, growth = measure_memory(jobs[1], warm=jobs[0])
        assert peak <= promised, stage
        assert growth <= promised - LIBRARIES + AT_ONCE, stage
