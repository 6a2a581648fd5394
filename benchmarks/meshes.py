"""Meshes against Igneous: whole commands with one process each, on the same layer, in the same run.

The segmentation is that of the image benchmarks: pinky40 of the folder that TERAVOX_DATA names, or a seeded one.
Forge and merge are measured apart. What they leave is then held to the unsimplified surfaces of the whole volume.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.cortex import CORNER, make_source
from benchmarks.forge_and_merge import Side, forge_once, forged_layer, measure_forge, measure_merge
from benchmarks.pairs import measure_pairs, show

CELL = 128  # voxels, of the smallest fragment that a viewer reads
LEVELS = 3
MAX_ERROR = 40  # nanometers


def ours(program: str) -> Side:
    def forge(layer: Path, shape: int) -> list[str]:
        # Pieces are of whole cells, and cells of 64 can be joined to those of 128.
        cell = CELL if shape % CELL == 0 else CELL // 2
        return ["mesh", "forge", str(layer), *_cube("--shape", shape), *_cube("--cell", cell), *_error()]

    def merge(layer: Path) -> list[str]:
        return ["mesh", "merge", str(layer), "--num-lods", str(LEVELS), *_cube("--min-chunk-size", CELL)]

    return Side("teravox", program, forge, merge)


def theirs(program: str) -> Side:
    def forge(layer: Path, shape: int) -> list[str]:
        return ["mesh", "forge", f"file://{layer}", *_cube("--shape", shape), *_error(), "--sharded"]

    def merge(layer: Path) -> list[str]:
        return [
            *("mesh", "merge-sharded", f"file://{layer}", "--nlod", str(LEVELS)),
            *_cube("--min-chunk-size", CELL),
        ]

    return Side("igneous", program, forge, merge)


def _cube(option: str, size: int) -> list[str]:
    return [option, f"{size},{size},{size}"]


def _error() -> list[str]:
    return ["--mip", "0", "--max-error", str(MAX_ERROR)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has igneous-pipeline")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench-meshes"), help="where layers and results lie, also afterwards"
    )
    parser.add_argument("--only", choices=("forge", "merge"), help="measure only this one; merge needs what forge left")
    parser.add_argument("--shape", type=int, action="append", help="of pieces; may be given several times")
    parser.add_argument("--pairs", type=int, default=3, help="how often both sides run")
    parser.add_argument("--quick", action="store_true", help=f"a first look, at a corner of {CORNER} voxels")
    parser.add_argument(
        "--quality", metavar="PYTHON", help="then measure the meshes, in this Python: one that has the test group"
    )
    parser.add_argument("--again", action="store_true", help="forge and merge anew what earlier runs left")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    place = options.folder.absolute()
    place.mkdir(parents=True, exist_ok=True)
    python = options.against.absolute() / "bin" / "python"  # which has CloudVolume
    source = make_source(place, python, corner=options.quick)
    if options.again:
        for old in place.glob(f"{source.parent.name}-*"):
            shutil.rmtree(old)
    sides = ours(str(Path(sys.executable).parent / "teravox")), theirs(str(python.parent / "igneous"))
    pairs = 1 if options.quick else options.pairs
    for shape in options.shape or ([128, 256] if options.quick else [256, 448]):
        if options.only != "merge":
            runs = [
                lambda side=side: measure_forge(side, source, shape, forged_layer(side, source, shape, place))  # noqa: B023 - called within this turn
                for side in sides
            ]
            show(f"forge, shape {shape}", measure_pairs(pairs, *runs), repeats=pairs, as_json=options.json)
        if options.only != "forge":
            merged = [place / f"{source.parent.name}-{side.name}-merged-{shape}" for side in sides]
            forged = [forge_once(side, source, shape, place) for side in sides]
            runs = [
                lambda n=n: measure_merge(sides[n], forged[n], shape, merged[n])  # noqa: B023 - as above
                for n in range(2)
            ]
            show(f"merge, shape {shape}", measure_pairs(pairs, *runs), repeats=pairs, as_json=options.json)
            if options.quality:
                named = [f"{side.name}={folder}" for side, folder in zip(sides, merged, strict=True)]
                words = [options.quality, "-m", "benchmarks.mesh_quality", str(source), *named]
                words += ["--max-error", str(MAX_ERROR), *(["--json"] if options.json else [])]
                sys.stdout.flush()
                subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
