"""Run as a script, this file measures steps: in a process that gives back what it frees, unlike that of the tests."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
OFFSETS = ((-1, 0, 0), (0, -1, 0), (0, 0, -1), (-2, 0, 0), (0, -5, 0), (0, 0, -5))
LARGE, SMALL = (64, 128, 128), (48, 64, 64)  # the small one for what is slow
Step = Callable[..., Any]


class Case(NamedTuple):
    kind: str
    name: str
    shape: tuple[int, int, int]
    parameters: dict[str, Any]

    def __str__(self) -> str:
        return "-".join([self.kind, self.name, *self.parameters])


CASES = [
    Case("agglomerate", "waterz", SMALL, {}),
    Case("supervoxels", "distance_watershed", LARGE, {"sigma_weights": 1.0, "highest": 0.9}),
    Case("supervoxels", "distance_watershed", LARGE, {"per_slice": True}),
    Case("supervoxels", "h_maxima_watershed", LARGE, {}),
    Case("supervoxels", "seeded_watershed", LARGE, {"min_segment_size": 50, "seed_size": 2}),
    Case("supervoxels", "components", LARGE, {"connectivity": 6, "min_size": 2}),
    Case("supervoxels", "components", LARGE, {"per_slice": True}),
    Case("supervoxels", "slic", SMALL, {"size": 500}),  # so that the small array has several
    Case("supervoxels", "mutex_watershed", SMALL, {"offsets": OFFSETS}),
    Case("agglomerate", "none", LARGE, {}),
    Case("agglomerate", "mean_boundary", LARGE, {"threshold": 0.5}),
    Case("agglomerate", "size_filter", LARGE, {"min_size": 500}),
]


def load(case: Case) -> Step:
    found: Step = getattr(importlib.import_module(f"teravox.kernels.segmentation.{case.kind}.{case.name}"), case.kind)
    return found


def status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def measure(case: Case) -> int:
    """By how many bytes the peak of this process is above what it held before the step."""
    step = load(case)
    rng = np.random.default_rng(0)
    channels = len(OFFSETS) if case.name == "mutex_watershed" else 2
    prediction = rng.random((*case.shape, channels), np.float32)  # noise has the most seeds, pieces and faces
    other = rng.random(case.shape) < 0.9
    if case.kind == "agglomerate":
        z, y, x = np.indices(case.shape) // 6
        other = np.where(other, 1 + x + 30 * (y + 30 * z), 0).astype(np.uint32)
    tiny = (slice(16), slice(16), slice(16))
    step(np.ascontiguousarray(prediction[tiny]), np.ascontiguousarray(other[tiny]), **case.parameters)  # compiled
    RESET.write_text("5")
    before = status("VmRSS")
    step(prediction, other, **case.parameters)
    return status("VmHWM") - before


@pytest.fixture(scope="module")
def held() -> dict[str, int]:
    if not RESET.exists():
        pytest.skip("only Linux says what the peak since a moment was")
    gives_back = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    run = subprocess.run([sys.executable, __file__], env=gives_back, capture_output=True, text=True, check=False)
    if run.returncode == 3:
        pytest.skip(f"the peak of a process cannot be set back here: {run.stderr}")
    assert run.returncode == 0, run.stderr
    found: dict[str, int] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_step_holds_no_more_than_it_says(held: dict[str, int], case: Case) -> None:
    promised = vars(load(case))["memory"](**case.parameters) * np.prod(case.shape)
    assert held[str(case)] <= promised + (1 << 20)
    assert held[str(case)] >= promised / 3 - (1 << 20)  # nor is it far too much


if __name__ == "__main__":
    try:
        RESET.write_text("5")
    except OSError as refused:
        print(refused, file=sys.stderr)
        sys.exit(3)
    print(json.dumps({str(case): measure(case) for case in CASES}))
