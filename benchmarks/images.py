"""Image kinds against Igneous: whole commands with one process each, on the same layers, in the same run.

The segmentation is pinky40 of the folder that TERAVOX_DATA names, or else a seeded one of the same size; the grey image
is FIB-25, tiled, or else seeded noise. Both sides read layers that CloudVolume wrote.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.pairs import Figures, measure_pairs, show

CHECKOUT = Path(__file__).parent.parent
Commands = list[list[str]]


class Case(NamedTuple):
    """One thing that both sides can do: the layer it reads, and each side's commands, given that layer and a place for a new one."""

    name: str
    source: str
    ours: Callable[[str, str], Commands]
    theirs: Callable[[str, str], Commands]
    written: (
        str | None
    )  # where the new chunks are: in the "layer" itself, or in the "new" one; None where there are none


def _downsample(source: str) -> Case:
    return Case(
        f"downsample, 3 mips, {source}",
        source,
        lambda layer, _: [["image", "downsample", layer, "--num-mips", "3"]],
        lambda layer, _: [["image", "downsample", f"file://{layer}", "--num-mips", "3"]],
        "layer",
    )


def _transfer(name: str, *options: str) -> Case:
    return Case(
        f"transfer {name}",
        "compressed_segmentation",
        lambda layer, new: [["image", "transfer", layer, new, *options]],
        lambda layer, new: [["image", "xfer", f"file://{layer}", f"file://{new}", "--skip-downsample", *options]],
        "new",
    )


CASES = {
    "downsample": [_downsample("compressed_segmentation"), _downsample("raw"), _downsample("crackle")],
    "grey": [_downsample("jpeg"), _downsample("png")],
    "transfer": [
        _transfer("to compresso", "--encoding", "compresso"),
        _transfer("to sharded crackle", "--encoding", "crackle", "--sharded"),
    ],
    "ccl": [
        Case(
            "ccl auto",
            "compressed_segmentation",
            lambda layer, new: [
                ["image", "ccl", "auto", layer, new, "--shape", "256,256,256", "--encoding", "compresso"]
            ],
            lambda layer, new: [["image", "ccl", "auto", f"file://{layer}", f"file://{new}", "--shape", "256,256,256"]],
            "new",
        )
    ],
    "count": [
        Case(
            "count",
            "compressed_segmentation",
            lambda layer, _: [["image", "count", layer]],
            lambda layer, _: [[*("image", "voxels"), word, f"file://{layer}"] for word in ("count", "sum")],
            None,
        )
    ],
}


def run(program: str, commands: Callable[[str, str], Commands], case: Case, source: Path, place: str) -> Figures:
    """What one side needs for a case, on a fresh copy of its layer."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        layer, new = f"{folder}/layer", f"{folder}/new"
        shutil.copytree(source, layer)
        before = _written(layer) if case.written == "layer" else (0, 0)  # chunks and bytes
        wall = cpu = peak = 0.0
        for words in commands(layer, new):
            seconds, usage = _time([program, *words])
            wall += seconds
            cpu += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss / 1e3)
        written = _written(layer) if case.written == "layer" else _written(new)
        files, size = (n - there for n, there in zip(written, before, strict=True))
    figures = {f"{case.name}: s": wall, f"{case.name}: CPU s": cpu, f"{case.name}: peak MB": peak}
    if case.written:
        figures[f"{case.name}: MB written"] = size / 1e6
        # Chunks must be as many on both sides, or they have not done the same; shards may differ.
        figures[f"{case.name}: files"] = files
    return figures


def _time(command: Sequence[str]) -> tuple[float, resource.struct_rusage]:
    """The seconds of a command, and what it and all its children used."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return wall, usage


def _written(folder: str) -> tuple[int, int]:
    """How many chunks and shards lie below a folder, and their bytes; records and intermediate files of either side do not count."""
    sizes = [
        file.stat().st_size
        for file in Path(folder).rglob("*")
        if file.is_file() and (file.suffix == ".shard" or file.name.count("-") == 3)
    ]
    return len(sizes), sum(sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has igneous-pipeline")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="where the layers lie for a while")
    parser.add_argument(
        "--only", choices=sorted(CASES), action="append", help="these cases; may be given several times"
    )
    parser.add_argument(
        "--tiles", type=int, default=1, help="repeat the labels so many times along each axis, for a larger volume"
    )
    parser.add_argument("--quick", action="store_true", help="a first look, at one pair: no figures to quote")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    repeats = 1 if options.quick else 5
    place = options.folder.absolute()
    place.mkdir(parents=True, exist_ok=True)
    cases = [case for name in options.only or CASES for case in CASES[name]]
    with tempfile.TemporaryDirectory(dir=place) as folder:
        # In a process of its own: the peak memory of a command begins with that of the process that started it.
        encodings = sorted({case.source for case in cases})
        python = options.against.absolute() / "bin" / "python"  # which has CloudVolume
        subprocess.run([python, "-m", "benchmarks.image_layers", folder, str(options.tiles), *encodings], check=True)
        ours, theirs = (str(folder / name) for folder, name in (
            (Path(sys.executable).parent, "teravox"), (python.parent, "igneous")
        ))  # fmt: skip
        for case in cases:
            source = Path(folder) / case.source
            rows = measure_pairs(
                repeats,
                lambda: run(ours, case.ours, case, source, folder),  # noqa: B023 - called within this turn
                lambda: run(theirs, case.theirs, case, source, folder),  # noqa: B023 - called within this turn
            )
            show(case.name, rows, repeats=repeats, as_json=options.json)


if __name__ == "__main__":
    main()
