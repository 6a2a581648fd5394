"""The whole way of a segmentation against Igneous: the same stages on the same volume, in one run with one process each.

From labels to mips, components, counts, sharded chunks, sharded multi-resolution meshes and sharded skeletons, in that
order, each stage on what the ones before left. One side does a stage right after the other, and every other stage in the
other order. What it costs is said for each gigavoxel of the volume, so that volumes of any size compare.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import meshes, skeletons
from benchmarks.commands import Cost, run_command
from benchmarks.cortex import make_source
from benchmarks.forge_and_merge import Side
from benchmarks.image_layers import LABELS_SIZE
from benchmarks.images import CASES, Case, Commands
from benchmarks.pairs import say_number

SHAPE = 256  # of the pieces of meshes and skeletons, or all of a smaller volume
WARM = 64  # voxels of each axis, for what compiles kernels


class Program(NamedTuple):
    """One side: its command, and how it makes meshes and skeletons."""

    command: str
    is_ours: bool
    meshes: Side
    skeletons: Side


class Stage(NamedTuple):
    """A part of the way, and its commands for a layer and a place where a new one may come to lie."""

    name: str
    words: Callable[[Program, Path, Path, int], Commands]


def _as_in(case: Case) -> Callable[[Program, Path, Path, int], Commands]:
    """The commands that the image benchmarks compare, too."""
    return lambda side, layer, new, _: (case.ours if side.is_ours else case.theirs)(str(layer), str(new))


STAGES = [
    Stage("image downsample, 3 mips", _as_in(CASES["downsample"][0])),
    Stage("image ccl auto", _as_in(CASES["ccl"][0])),
    Stage("image count", _as_in(CASES["count"][0])),
    Stage("image transfer, sharded crackle", _as_in(CASES["transfer"][1])),
    Stage("mesh forge", lambda side, layer, _, shape: [side.meshes.forge(layer, shape)]),
    Stage("mesh merge, sharded, 3 levels", lambda side, layer, _, __: [side.meshes.merge(layer)]),
    Stage("skeleton forge", lambda side, layer, _, shape: [side.skeletons.forge(layer, shape)]),
    Stage("skeleton merge, sharded", lambda side, layer, _, __: [side.skeletons.merge(layer)]),
]


class Row(NamedTuple):
    """What a stage cost both sides."""

    stage: str
    ours: Cost
    theirs: Cost


def do_stage(stage: Stage, side: Program, folder: Path, shape: int) -> Cost:
    """One side's commands of a stage, on its own copy of the layer."""
    commands = stage.words(side, folder / "layer", folder / stage.name.replace(" ", "-"), shape)
    return add(run_command([side.command, *words]) for words in commands)


def add(costs: Iterable[Cost]) -> Cost:
    """What several commands cost, one after another."""
    each = list(costs)
    return Cost(
        sum(cost.seconds for cost in each),
        sum(cost.cpu_seconds for cost in each),
        max(cost.peak_bytes for cost in each),
    )


def fresh(folder: Path, source: Path) -> Path:
    """A folder with a copy of the layer, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder / "layer")
    return folder


def cut(whole: Path, part: Path, size: int) -> Path:
    """The corner of a layer, made only where it is not there yet."""
    if not part.exists():
        bounds = f"--bounds=0,0,0:{size},{size},{size}"
        run_command([sys.executable, "-m", "teravox", "image", "transfer", str(whole), str(part), bounds])
    return part


def warm(side: Program, source: Path, place: Path) -> None:
    """Go all the way with a few voxels: kernels are compiled at their first use on a machine, which is no part of a job."""
    folder = fresh(place / "warm", cut(source, place / f"corner-{WARM}", WARM))
    for stage in STAGES:
        do_stage(stage, side, folder, WARM)


def measure(sides: tuple[Program, Program], source: Path, place: Path, shape: int) -> list[Row]:
    """Both sides' costs of all stages."""
    folders = [fresh(place / name, source) for name in ("ours", "theirs")]
    rows = []
    for number, stage in enumerate(STAGES):
        costs: dict[int, Cost] = {}
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            costs[which] = do_stage(stage, sides[which], folders[which], shape)
        rows.append(Row(stage.name, costs[0], costs[1]))
        print(f"{stage.name}: {costs[0].cpu_seconds:.1f} and {costs[1].cpu_seconds:.1f} CPU s", file=sys.stderr)
    return rows


def show(rows: Sequence[Row], size: int) -> None:
    """The table, for docs/benchmarks.md."""
    gigavoxels = size**3 / 1e9
    print(f"\n{size} x {size} x {size} voxels, {gigavoxels:.3g} gigavoxels; core-seconds (CPU s) for each gigavoxel\n")
    print(
        "| stage | teravox, CPU s/Gvx | igneous, CPU s/Gvx | ratio | teravox, s | igneous, s | teravox, MB | igneous, MB |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    total = Row("**all**", add(row.ours for row in rows), add(row.theirs for row in rows))
    for stage, ours, theirs in [*rows, total]:
        print(
            f"| {stage} | {say_number(ours.cpu_seconds / gigavoxels)} | {say_number(theirs.cpu_seconds / gigavoxels)} "
            f"| {say_number(theirs.cpu_seconds / ours.cpu_seconds)} | {say_number(ours.seconds)} | {say_number(theirs.seconds)} "
            f"| {say_number(ours.peak_bytes / 1e6)} | {say_number(theirs.peak_bytes / 1e6)} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has igneous-pipeline")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench-workflow"), help="where layers lie, also afterwards"
    )
    parser.add_argument("--size", type=int, default=LABELS_SIZE, help="voxels of each axis, up to 512")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not WARM <= options.size <= LABELS_SIZE:
        parser.error(f"--size: must be {WARM} to {LABELS_SIZE}")
    place = options.folder.absolute()
    place.mkdir(parents=True, exist_ok=True)
    python = options.against.absolute() / "bin" / "python"  # which has CloudVolume
    whole = make_source(place, python, corner=False)
    source = whole if options.size == LABELS_SIZE else cut(whole, place / f"corner-{options.size}", options.size)
    ours, theirs = str(Path(sys.executable).parent / "teravox"), str(python.parent / "igneous")
    sides = (
        Program(ours, True, meshes.ours(ours), skeletons.ours(ours)),
        Program(theirs, False, meshes.theirs(theirs), skeletons.theirs(theirs)),
    )
    warm(sides[0], whole, place)
    rows = measure(sides, source, place, min(SHAPE, options.size))
    if options.json:
        print(
            json.dumps(
                {
                    "size": options.size,
                    "rows": [
                        {"stage": row.stage, "ours": row.ours._asdict(), "theirs": row.theirs._asdict()} for row in rows
                    ],
                }
            )
        )
    else:
        show(rows, options.size)


if __name__ == "__main__":
    main()
