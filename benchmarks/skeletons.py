"""Skeletons against Igneous: whole commands with one process each, on the same layer, in the same run.

The segmentation is that of the image benchmarks: pinky40 of the folder that TERAVOX_DATA names, or a seeded one.
Forge and merge are measured apart, the latter always to sharded skeletons. What they leave is then held to what kimimaro
makes of the whole volume.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.commands import run_command
from benchmarks.cortex import CORNER, make_source
from benchmarks.forge_and_merge import Side, forge_once, forged_layer, measure_forge, measure_merge
from benchmarks.pairs import measure_pairs, show

PARAMETERS = ("--scale", "4", "--const", "10", "--dust-threshold", "1000")  # the latter two in nanometers and voxels

MEMORY = "12GB"  # what forge may promise to need: far more than it needs, and the other side knows no such limit


def ours(program: str) -> Side:
    return Side(
        "teravox",
        program,
        lambda layer, shape: ["skeleton", "forge", str(layer), *_same(shape), "--memory", MEMORY],
        lambda layer: ["skeleton", "merge", str(layer), "--format", "sharded"],
    )


def theirs(program: str) -> Side:
    return Side(
        "igneous",
        program,
        lambda layer, shape: ["skeleton", "forge", f"file://{layer}", *_same(shape), "--sharded"],
        lambda layer: ["skeleton", "merge-sharded", f"file://{layer}"],
    )


def _same(shape: int) -> list[str]:
    return ["--mip", "0", "--shape", f"{shape},{shape},{shape}", *PARAMETERS]


def warm(side: Side, place: Path, python: Path) -> None:
    """Forge and merge a few voxels: kernels are compiled at the first use on a machine, which is no part of a job."""
    layer = place / "warm" / "layer"
    shutil.rmtree(layer.parent, ignore_errors=True)
    source = make_source(place, python, corner=True)
    run_command([side.program, "image", "transfer", str(source), str(layer), "--bounds=0,0,0:64,64,64"])
    for words in (side.forge(layer, 64), side.merge(layer)):
        run_command([side.program, *words])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has igneous-pipeline")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build/bench-skeletons"),
        help="where layers and results lie, also afterwards",
    )
    parser.add_argument("--only", choices=("forge", "merge"), help="measure only this one; merge needs what forge left")
    parser.add_argument("--shape", type=int, action="append", help="of pieces; may be given several times")
    parser.add_argument("--pairs", type=int, default=3, help="how often both sides run")
    parser.add_argument("--quick", action="store_true", help=f"a first look, at a corner of {CORNER} voxels")
    parser.add_argument(
        "--quality", metavar="PYTHON", help="then measure the skeletons, in this Python: one that has the test group"
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
    warm(sides[0], place, python)
    pairs = 1 if options.quick else options.pairs
    for shape in options.shape or ([128, 256] if options.quick else [256, 512]):
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
                kept = place / f"{source.parent.name}-whole.npz"
                words = [
                    options.quality,
                    "-m",
                    "benchmarks.skeleton_quality",
                    str(source),
                    *named,
                    "--whole",
                    str(kept),
                ]
                sys.stdout.flush()
                subprocess.run([*words, *(["--json"] if options.json else [])], check=True)


if __name__ == "__main__":
    main()
