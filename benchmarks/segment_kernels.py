"""How fast each built-in step of a segmentation is, and what memory it takes: megavoxels a CPU second, bytes a voxel.

Each step runs alone in a process, on cubes of fib25 where TERAVOX_DATA names a folder that has it, else of seeded noise.
Bytes a voxel are what the peak grows by from the smaller cube to the larger one, without the arrays that the step is
given: what its `memory` promises to be enough. Steps that take minutes are measured on smaller cubes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.supervoxels.mutex_watershed import supervoxels as mutex_watershed

CUBES = (128, 256)
SMALL_CUBES = (64, 128)  # of slow steps
WARM_UP = 24  # the side of a cube on which a step is compiled before it is measured
MEMBRANE = {"sigma": 1.2, "sigma_darkness": 0.7, "contrast": 0.17, "low": 75.0, "high": 165.0}
OFFSETS = ((-1, 0, 0), (0, -1, 0), (0, 0, -1), (-4, 0, 0), (0, -9, 0), (0, 0, -9))
Parameters = dict[str, Any]  # Any: of any step


class Step(NamedTuple):
    kind: str
    name: str
    parameters: Parameters
    cubes: tuple[int, int] = CUBES

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


STEPS = [
    Step("predict", "invert", {}),
    Step("predict", "threshold", {"threshold": 120.0}),
    Step("predict", "particles", {"threshold": 120.0}),
    Step("predict", "membrane", MEMBRANE),
    Step("predict", "sheetness", {}),
    Step("predict", "tubeness", {}),
    Step("predict", "vesselness", {}),
    Step("supervoxels", "distance-watershed", {}),
    Step("supervoxels", "h-maxima-watershed", {}),
    Step("supervoxels", "seeded-watershed", {"seed_threshold": 0.05, "min_segment_size": 300}),
    Step("supervoxels", "components", {}),
    Step("supervoxels", "slic", {}, SMALL_CUBES),
    Step("supervoxels", "mutex-watershed", {"offsets": OFFSETS}, SMALL_CUBES),
    Step("agglomerate", "none", {}),
    Step("agglomerate", "mean-boundary", {}),
    Step("agglomerate", "size-filter", {"min_size": 1000}),
    Step("agglomerate", "waterz", {}),
]


class Figures(NamedTuple):
    side: int
    megavoxels_a_second: float
    bytes_a_voxel: float
    promised: float


def load(step: Step) -> Callable[..., NDArray[Any]]:  # Any: what steps return
    module = importlib.import_module(f"teravox.kernels.segmentation.{step.kind}.{step.name.replace('-', '_')}")
    found: Callable[..., NDArray[Any]] = getattr(module, step.kind)
    return found


def cube(side: int) -> NDArray[np.uint8]:
    """A grey cube; fib25's is a little smaller than 256, and mirrored."""
    folder = os.environ.get("TERAVOX_DATA")
    if folder is not None and (file := Path(folder) / "fib25_medulla" / "gray_unlabelled.npz").exists():
        gray = np.load(file)["gray"]
        gray = np.pad(gray, [(0, max(0, side - length)) for length in gray.shape], "reflect")
        return np.ascontiguousarray(gray[:side, :side, :side], np.uint8)
    noise = np.random.default_rng(0).random((side, side, side), np.float32)
    from teravox.kernels.segmentation.smoothing import smooth

    noise = smooth(noise, (3.0, 3.0, 3.0))
    return np.asarray(np.clip(120 + 1500 * (noise - 0.5), 0, 255), np.uint8)


def write_inputs(folder: Path, side: int) -> None:
    """What the steps of each kind are given, made by the usual ones before them."""
    gray = cube(side)
    prediction = load(Step("predict", "membrane", {}))(gray, None, **MEMBRANE)
    supervoxels = load(Step("supervoxels", "distance-watershed", {}))(prediction, None)
    np.save(folder / f"gray-{side}.npy", gray)
    np.save(folder / f"prediction-{side}.npy", prediction)
    np.save(folder / f"supervoxels-{side}.npy", supervoxels)
    if side in SMALL_CUBES:
        affinities = np.ones((side, side, side, len(OFFSETS)), np.float32)
        boundary = prediction[..., 0]
        for channel, offset in enumerate(OFFSETS):
            here = tuple(slice(-step, None) for step in offset)
            there = tuple(slice(0, step or None) for step in offset)
            affinities[..., channel][here] = 1 - np.maximum(boundary[here], boundary[there])
        np.save(folder / f"affinities-{side}.npy", affinities)


def inputs_of(step: Step, folder: Path, side: int) -> list[NDArray[Any] | None]:  # Any: of several types
    if step.kind == "predict":
        return [np.load(folder / f"gray-{side}.npy"), None]
    predicted = "affinities" if load(step) is mutex_watershed else "prediction"
    prediction = np.load(folder / f"{predicted}-{side}.npy")
    return [prediction, np.load(folder / f"supervoxels-{side}.npy") if step.kind == "agglomerate" else None]


def measure(step: Step, folder: Path, side: int) -> tuple[float, float]:
    """In this process: CPU seconds, and peak bytes without the inputs."""
    function = load(step)
    inputs = inputs_of(step, folder, side)
    small = [None if one is None else np.ascontiguousarray(one[:WARM_UP, :WARM_UP, :WARM_UP]) for one in inputs]
    function(*small, **step.parameters)
    before = time.process_time()
    function(*inputs, **step.parameters)
    seconds = time.process_time() - before
    return seconds, peak_bytes() - sum(one.nbytes for one in inputs if one is not None)


def peak_bytes() -> int:
    """Of this process alone: what Linux says of a child's ru_maxrss begins at the peak of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_a_process(step: Step, folder: Path, side: int) -> tuple[float, float]:
    command = [sys.executable, __file__, "--measure", str(step), "--folder", str(folder), "--side", str(side)]
    seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return seconds, peak


def figures(step: Step, folder: Path) -> Figures:
    small, large = step.cubes
    _, low = in_a_process(step, folder, small)
    seconds, high = in_a_process(step, folder, large)
    promised = vars(load(step))["memory"](**step.parameters)
    return Figures(large, large**3 / 1e6 / max(seconds, 1e-9), (high - low) / (large**3 - small**3), promised)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--only", help="steps whose name has this in it")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--side", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        step = next(one for one in STEPS if str(one) == options.measure)
        print(json.dumps(measure(step, options.folder, options.side)))
        return
    chosen = [step for step in STEPS if options.only is None or options.only in str(step)]
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as name:
        for side in sorted({side for step in chosen for side in step.cubes}):
            write_inputs(Path(name), side)
        for step in chosen:
            found[str(step)] = figures(step, Path(name))
            if not options.json:
                print(
                    f"{step!s:32} {found[str(step)].side}^3 {found[str(step)].megavoxels_a_second:9.2f} MVx/s"
                    f" {found[str(step)].bytes_a_voxel:7.1f} B/voxel of {found[str(step)].promised:.0f} promised",
                    flush=True,
                )
    if options.json:
        print(json.dumps({name: one._asdict() for name, one in found.items()}, indent=1))


if __name__ == "__main__":
    main()
