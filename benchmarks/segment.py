"""What segmenting and stitching a large volume costs: speed, memory, the share of stitching, and whether it grows in line.

    python -m benchmarks.segment --size 1024 -p 2

The volume is synthetic tissue (see benchmarks/synthetic_layers.py), made once. All of it is segmented in blocks of an eighth
of its size, so there are 512 of them, and its lower half along each axis, which has 64. What is measured are seconds of the
processors, of whole commands and of their tasks alone; only two processes against one are compared by the clock, which says
something on a quiet machine alone. Below 1 GVx the imports of the first task weigh too much in all that is relative.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from benchmarks.commands import Cost, run_command
from benchmarks.synthetic_layers import CHUNK, write_synthetic
from teravox.pipeline.ledger.ledger import Ledger
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.urls import normalize

TERAVOX = str(Path(sys.executable).parent / "teravox")
RAW = 8  # bytes of a label that is not compressed
GOAL_PEAK = 4096.0  # MB of a process
GOAL_STITCHING = 3.0  # percent of the time of segmentation
GOAL_BYTES = 40.0  # times smaller than raw
GOAL_IN_LINE = 10.0  # percent that a voxel may cost more or less in many blocks than in few
GOAL_TWO = 1.8  # times as fast as one process


class Row(NamedTuple):
    """A figure, and what it should be."""

    measure: str
    value: float
    goal: str = ""
    reached: bool | None = None


class Volume(NamedTuple):
    """So many voxels along each axis of the source, from its lower corner, in blocks; and where the result goes."""

    source: Path
    dest: Path
    size: int
    shape: int
    halo: int
    options: list[str]

    @property
    def blocks(self) -> int:
        return int((-(-self.size // self.shape)) ** 3)

    @property
    def megavoxels(self) -> float:
        return self.size**3 / 1e6

    @property
    def megavoxels_read(self) -> float:
        """What all blocks have together, with their halos: the outer ones have less, so it is no fixed part more."""
        starts = range(0, self.size, self.shape)
        side = sum(min(n + self.shape + self.halo, self.size) - max(n - self.halo, 0) for n in starts)
        return side**3 / 1e6

    def segment(self, processes: int = 1) -> Cost:
        """Segment it anew."""
        shutil.rmtree(self.dest, ignore_errors=True)
        cut = ["--shape", _cube(self.shape), "--halo", _cube(self.halo), f"--bounds=0,0,0:{_cube(self.size)}"]
        words = [TERAVOX, "segment", str(self.source), str(self.dest), *cut, "--quiet", "-p", str(processes)]
        return run_command([*words, *self.options])

    def stitch(self) -> Cost:
        return run_command([TERAVOX, "stitch", "auto", str(self.dest), "--quiet"])

    def tasks(self) -> dict[str, float]:
        """The seconds of the processors that the tasks of each kind took, by their ledgers."""
        store = open_store(normalize(str(self.dest)))
        found: dict[str, float] = defaultdict(float)
        for folder in (self.dest / "ledger").iterdir():
            ledger = Ledger(store, folder.name)
            job = ledger.job()
            if job is not None:
                found[job.kind] += ledger.summary().cpu_seconds
        return found

    def block_bytes(self) -> int:
        return sum(file.stat().st_size for file in (self.dest / "blocks").rglob("*") if file.is_file())

    def evaluate(self, truth: Path) -> dict[str, float]:
        """How far the result is from the truth, in bits."""
        report = self.dest.with_name(f"{self.dest.name}-report")
        shutil.rmtree(report, ignore_errors=True)
        run_command([TERAVOX, "evaluate", str(truth), str(self.dest), "--dest", str(report), "--quiet"])
        found: dict[str, float] = json.loads((report / "report.json").read_text())["labels"]["vi"]
        return found


def measure(source: Path, place: Path, size: int, shape: int, options: argparse.Namespace) -> list[Row]:
    """All figures of a volume of that size."""
    steps = ["--steps", str(options.steps.absolute())] if options.steps else []
    all_of_it = Volume(source / "image", place / f"all-{size}", size, shape, options.halo, steps)
    half = all_of_it._replace(dest=place / f"half-{size}", size=size // 2)
    half._replace(size=shape).segment()  # so that all that is compiled at the first use is there
    segmented, stitched = all_of_it.segment(), all_of_it.stitch()
    few, bytes_, tasks = half.segment(), all_of_it.block_bytes(), all_of_it.tasks()
    work, work_few, writing = tasks["segment"], half.tasks()["segment"], tasks["stitch relabel"]
    joining = tasks["stitch match"] + tasks["stitch resolve"]
    times_smaller = all_of_it.megavoxels * 1e6 * RAW / bytes_
    peak = max(segmented.peak_bytes, stitched.peak_bytes) / 1e6
    more_read = _more(work / all_of_it.megavoxels_read, work_few / half.megavoxels_read)
    rows = [
        Row("megavoxels", all_of_it.megavoxels),
        Row("blocks", all_of_it.blocks),
        Row("segment: CPU s of the command", segmented.cpu_seconds),
        Row("segment: CPU s of its tasks", work),
        Row("segment: MVx a CPU second, halos not counted", all_of_it.megavoxels / work),
        Row("segment: MVx a CPU second, halos counted", all_of_it.megavoxels_read / work),
        Row("segment: peak MB of a process", segmented.peak_bytes / 1e6),
        Row("stitch auto: CPU s of the command", stitched.cpu_seconds),
        Row("stitch auto: CPU s of match and resolve", joining),
        Row("stitch auto: CPU s of relabel", writing),
        Row("stitch auto: peak MB of a process", stitched.peak_bytes / 1e6),
        _goal("peak MB of any process", peak, GOAL_PEAK),
        _goal("match and resolve, % of segmentation", 100 * joining / work, GOAL_STITCHING),
        Row("relabel, which writes the bodies, % of segmentation", 100 * writing / work),
        Row("labels of blocks, MB", bytes_ / 1e6),
        _goal("labels of blocks, times less than raw 64-bit", times_smaller, GOAL_BYTES, at_least=True),
        _goal(
            f"cost of a voxel that is read, {all_of_it.blocks} blocks to {half.blocks}: % off", more_read, GOAL_IN_LINE
        ),
        Row(
            "the same of a voxel of the volume; inner blocks have more halo",
            _more(work / all_of_it.megavoxels, work_few / half.megavoxels),
        ),
    ]
    if options.parallel > 1:
        faster = few.seconds / half.segment(options.parallel).seconds
        name = f"{options.parallel} processes against one, times as fast"
        rows.append(_goal(name, faster, GOAL_TWO / 2 * options.parallel, at_least=True))
    if options.evaluate:
        rows += [Row(f"VI {name}, bits", bits) for name, bits in all_of_it.evaluate(source / "truth").items()]
    return rows


def _goal(measure: str, value: float, goal: float, *, at_least: bool = False) -> Row:
    """A figure that should not be above a goal, whatever its sign, or not below it."""
    reached = value >= goal if at_least else abs(value) <= goal
    return Row(measure, value, f"{'>=' if at_least else '<='} {goal:g}", reached)


def _more(cost: float, than: float) -> float:
    return 100 * cost / than - 100


def show(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([row._asdict() for row in rows]))
        return
    width = max(len(row.measure) for row in rows)
    print(f"| {'measure':{width}} |     value | goal      | reached |")
    print(f"| {'-' * width} | --------: | --------- | ------- |")
    for row in rows:
        value = f"{row.value:,.0f}" if row.value >= 1000 else f"{row.value:.3g}"
        reached = "" if row.reached is None else "yes" if row.reached else "NO"
        print(f"| {row.measure:{width}} | {value:>9} | {row.goal:9} | {reached:7} |")


def _cube(size: int) -> str:
    return f"{size},{size},{size}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="voxels of the volume along each axis; 1024 are 1 GVx")
    parser.add_argument("--shape", type=int, help="of blocks; by default an eighth of the size, and 64 at least")
    parser.add_argument("--halo", type=int, default=20)
    parser.add_argument("--steps", type=Path, help="file of steps, as `teravox segment --steps` takes it")
    parser.add_argument("--folder", type=Path, default=Path("build/bench-segment"), help="where the layers lie")
    parser.add_argument("-p", "--parallel", type=int, default=1, help="compare so many processes with one")
    parser.add_argument("--evaluate", action="store_true", help="say too how far the result is from the truth")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    shape = options.shape or max(options.size // 8, CHUNK[0])
    if shape % CHUNK[0] or options.size % 2 or shape > options.size // 2:
        parser.error(f"--shape: expected a multiple of {CHUNK[0]}, at most half of --size, which must be even")
    place = options.folder.absolute()
    source = place / f"tissue-{options.size}"
    if not (source / "done").exists():
        print(f"making {source} …", file=sys.stderr)
        write_synthetic(source, (options.size,) * 3, processes=options.parallel)
        (source / "done").touch()
    show(measure(source, place, options.size, shape, options), as_json=options.json)


if __name__ == "__main__":
    main()
