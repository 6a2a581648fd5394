"""How fast the features of voxels are computed, and in what memory, beside others in the same run.

Megavoxels a CPU second of one core, the best of several runs. The others are scikit-image and SciPy as one would write it
down with their functions, and bioimage-cpp's filters; neither shares a blur between filters. Memory is what the peak of a
process grows by. The image is fib25's where TERAVOX_DATA names a folder that has it, else seeded noise.

    python -m benchmarks.features [--size 128] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.features import compute, memory, slabs
from teravox.kernels.learning.selection import FILTERS, SIGMAS, Feature, Selection, matrix
from teravox.kernels.segmentation.scale import ISOTROPIC

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

WARM_UP = 24  # the side of a cube on which everything runs once before it is measured
SLABS = 128e6  # bytes that `slabs` is allowed


class Row(NamedTuple):
    """Megavoxels a CPU second, of one filter or of all; None where it is not offered."""

    what: str
    sigma: float
    ours: float
    plain: float | None
    bioimage: float | None


def cube(side: int) -> Grey:
    folder = os.environ.get("TERAVOX_DATA")
    if folder is not None and (file := Path(folder) / "fib25_medulla" / "gray_unlabelled.npz").exists():
        gray = np.load(file)["gray"]
        gray = np.pad(gray, [(0, max(0, side - length)) for length in gray.shape], "reflect")
        return np.ascontiguousarray(gray[:side, :side, :side], np.uint8)
    return np.random.default_rng(0).integers(0, 256, (side, side, side)).astype(np.uint8)


def plain(name: str, sigma: float, gray: Floats) -> object:
    """As it is written with scikit-image, and with SciPy for what that does not have."""
    from scipy import ndimage
    from skimage import feature, filters

    if name == "gaussian-smoothing":
        return filters.gaussian(gray, sigma, mode="mirror", truncate=3.5)
    if name == "laplacian-of-gaussian":
        return ndimage.gaussian_laplace(gray, sigma, mode="mirror", truncate=3.5)
    if name == "gaussian-gradient-magnitude":
        return ndimage.gaussian_gradient_magnitude(gray, sigma, mode="mirror", truncate=3.5)
    if name == "difference-of-gaussians":
        return filters.difference_of_gaussians(gray, 0.66 * sigma, sigma, mode="mirror", truncate=3.5)
    if name == "structure-tensor-eigenvalues":
        blurred = filters.gaussian(gray, sigma, mode="mirror", truncate=3.5)
        return feature.structure_tensor_eigenvalues(feature.structure_tensor(blurred, 0.5 * sigma, mode="mirror"))
    return feature.hessian_matrix_eigvals(
        feature.hessian_matrix(gray, sigma, mode="mirror", use_gaussian_derivatives=True)
    )


def bioimage(name: str, sigma: float, gray: Floats) -> object:
    from bioimage_cpp import filters

    if name == "gaussian-smoothing":
        return filters.gaussian_smoothing(gray, sigma, window_size=3.5)
    if name == "laplacian-of-gaussian":
        return filters.laplacian_of_gaussian(gray, sigma, window_size=3.5)
    if name == "gaussian-gradient-magnitude":
        return filters.gaussian_gradient_magnitude(gray, sigma, window_size=3.5)
    if name == "difference-of-gaussians":
        return filters.gaussian_smoothing(gray, sigma, window_size=3.5) - filters.gaussian_smoothing(
            gray, 0.66 * sigma, window_size=3.5
        )
    if name == "structure-tensor-eigenvalues":
        return filters.structure_tensor_eigenvalues(gray, sigma, 0.5 * sigma, window_size=3.5)
    return filters.hessian_of_gaussian_eigenvalues(gray, sigma, window_size=3.5)


def seconds(work: Callable[[], object], times: int) -> float:
    """Of the CPU, the least of several runs."""
    found = []
    for _ in range(times):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return max(min(found), 1e-9)


def speed(gray: Grey, selection: Selection, times: int) -> float:
    return gray.size / 1e6 / seconds(lambda: compute(gray, selection, ISOTROPIC), times)


def rows(gray: Grey, sigmas: tuple[float, ...], times: int) -> list[Row]:
    """Each filter at each sigma, then all filters of a sigma, then everything."""
    floats, megavoxels = gray.astype(np.float32), gray.size / 1e6
    small = floats[:WARM_UP, :WARM_UP, :WARM_UP]
    compute(gray[:WARM_UP, :WARM_UP, :WARM_UP], matrix(sigmas=(1.0,)), ISOTROPIC)
    found, theirs = [], {}
    for sigma in sigmas:
        for name in FILTERS:
            plain(name, sigma, small)
            bioimage(name, sigma, small)
            taken = [
                seconds(lambda: plain(name, sigma, floats), 1),  # noqa: B023 - called at once
                seconds(lambda: bioimage(name, sigma, floats), times),  # noqa: B023
            ]
            theirs[name, sigma] = taken
            ours = speed(gray, Selection((Feature(name, sigma),)), times)
            found.append(Row(name, sigma, ours, megavoxels / taken[0], megavoxels / taken[1]))
        both = [sum(theirs[name, sigma][which] for name in FILTERS) for which in (0, 1)]
        ours = speed(gray, matrix(sigmas=(sigma,)), times)
        found.append(Row("all six", sigma, ours, megavoxels / both[0], megavoxels / both[1]))
    both = [sum(taken[which] for taken in theirs.values()) for which in (0, 1)]
    found.append(
        Row("everything", 0.0, speed(gray, matrix(sigmas=sigmas), times), megavoxels / both[0], megavoxels / both[1])
    )
    flat = speed(gray, matrix(sigmas=sigmas, flat=True), times)
    found.append(Row("everything, flat", 0.0, flat, None, None))
    return found


def peak_bytes() -> int:
    """Of this process alone: what Linux says of a child's ru_maxrss begins at the peak of its parent."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measure(side: int, how: str) -> tuple[int, int]:
    """In this process: what its peak grows by, and what was said before."""
    gray, selection = cube(side), matrix(sigmas=(1.0, 1.6, 3.5))
    compute(gray[:WARM_UP, :WARM_UP, :WARM_UP], selection, ISOTROPIC)
    before = peak_bytes()
    if how == "whole":
        compute(gray, selection, ISOTROPIC)
        return peak_bytes() - before, memory(gray, selection, ISOTROPIC)
    for _, found in slabs(gray, selection, ISOTROPIC, None, SLABS):
        del found
    return peak_bytes() - before, int(SLABS)


def memories(side: int) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for how in ("whole", "slabs"):
        command = [sys.executable, "-m", "benchmarks.features", "--measure", how, "--size", str(side)]
        taken, said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        found[how] = taken / 1e6, said / 1e6
    return found


def show(found: list[Row], side: int, peaks: dict[str, tuple[float, float]]) -> None:
    print(f"MVx a CPU second, cube of {side} voxels; in brackets how many times as fast as theirs")
    print(f"{'':32} {'sigma':>5} {'teravox':>9} {'scikit-image':>20} {'bioimage-cpp':>20}")
    for row in found:
        others = "".join(
            f" {'-':>20}" if other is None else f" {other:11.2f} {f'({row.ours / other:.1f})':>8}"
            for other in (row.plain, row.bioimage)
        )
        print(f"{row.what:32} {row.sigma or '':>5} {row.ours:9.2f}{others}")
    for how, (taken, said) in peaks.items():
        print(f"{how}: 30 columns took {taken:.0f} MB, of {said:.0f} MB that were said")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="side of the cube")
    parser.add_argument("--quick", action="store_true", help="a cube of 64 voxels and three sigmas")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", choices=("whole", "slabs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.size, options.measure)))
        return
    side = 64 if options.quick else options.size
    found = rows(cube(side), (0.7, 1.6, 3.5) if options.quick else SIGMAS, times=3)
    peaks = memories(side)
    if options.json:
        rest: dict[str, Any] = {"size": side, "megabytes": peaks}  # Any: of several types
        print(json.dumps({**rest, "rows": [row._asdict() for row in found]}, indent=1))
    else:
        show(found, side, peaks)


if __name__ == "__main__":
    main()
