"""How true the figures of `teravox plan` are: what it says before a job, against the ledger of the job.

    python -m benchmarks.plan_accuracy DATA

DATA is the folder of the real volumes (see docs/plan.md). One corner of each is worked through to measure the rates, the
other one to see whether plans made with these rates come true. With --rates FILE what was measured is written as a table of
rates, like that of the package.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.commands import run_command
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.planning.earlier_runs import Earlier, measure_rate
from teravox.pipeline.planning.plan_file import PlannedStep, read_plan
from teravox.pipeline.storage.open import open_store

TERAVOX = str(Path(sys.executable).parent / "teravox")
CHUNK = "64,64,64"
SORTS = {
    "create seg": "segmentation",
    "create em": "image",
    "transfer copied": "copied",
    "downsample em": "image",
    "downsample seg": "segmentation",
}


class Case(NamedTuple):
    """A command, and where its ledgers lie."""

    name: str
    words: str
    layer: str


CASES = (
    Case("create seg", f"create seg.npy seg --type segmentation --chunk-size {CHUNK} --shape 128,128,64 --resolution 16,16,40", "seg"),
    Case("create em", f"create em.npy em --type image --chunk-size {CHUNK} --shape 128,128,64 --resolution 10,10,10", "em"),
    Case("downsample seg", "image downsample seg --num-mips 1 --shape 128,128,64", "seg"),
    Case("downsample em", "image downsample em --num-mips 1 --shape 128,128,64", "em"),
    Case("transfer copied", "image transfer seg copy --shape 128,128,64", "copy"),
    Case("transfer", "image transfer em recoded --encoding png --shape 128,128,64", "recoded"),
    Case("shard", "shard image copy sharded", "sharded"),
    Case("reorder", "image reorder em sorted --mapping order.csv --shape 128,128,64", "sorted"),
    Case("count", "image count seg --shape 128,128,64", "seg"),
    Case("roi", "image roi seg --mip 0", "seg"),
    Case("ccl", "image ccl auto seg ccl --shape 128,128,64 --keep", "ccl"),
    Case("histogram", "image contrast histogram em --coverage 1", "em"),
    Case("equalize", "image contrast equalize em even --shape 128,128,64", "even"),
    Case("clahe", "image contrast clahe em clahe --shape 128,128,64 --tile-size 64,64", "clahe"),
    Case("mesh forge", "mesh forge seg --shape 128,128,128", "seg"),
    Case("mesh merge", "mesh merge seg", "seg/mesh"),
    Case("skeleton forge", "skeleton forge seg --shape 128,128,128", "seg"),
    Case("skeleton merge", "skeleton merge seg", "seg/skeleton"),
    Case("segment", "segment em blocks --shape 128,128,64", "blocks"),
    Case("stitch", "stitch auto blocks", "blocks"),
    Case("evaluate", "evaluate seg ccl --dest report --shape 128,128,64 --keep", "report"),
)  # fmt: skip


class Done(NamedTuple):
    """What the ledgers of a kind say, all stages of that name together."""

    tasks: int
    cpu_seconds: float
    bytes_in: int
    bytes_out: int
    requests_in: int
    requests_out: int
    peak_bytes: int


def volumes(data: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels of cortex, and grey neuropil: 512 and 250 voxels of each axis."""
    import crackle

    packed = gzip.decompress((data / "pinky40/connectomics.npy.ckl.gz").read_bytes())
    labels = np.asarray(crackle.decompress(packed)).reshape(512, 512, 512)
    with np.load(data / "fib25_medulla/gray_unlabelled.npz") as arrays:
        grey = arrays[arrays.files[0]]
    return labels.astype(np.uint64), grey


def prepare(place: Path, labels: NDArray[Any], grey: NDArray[Any]) -> None:
    """The files of one corner."""
    place.mkdir()
    np.save(place / "seg.npy", np.asfortranarray(labels))
    np.save(place / "em.npy", np.asfortranarray(grey))
    slices = grey.shape[2]
    (place / "order.csv").write_text("".join(f"{z},{slices - 1 - z}\n" for z in range(slices)))


def words_of(case: Case, place: Path) -> list[str]:
    """The words of a command, with its paths in a folder."""
    names = {"seg", "em", "copy", "recoded", "sharded", "sorted", "ccl", "even", "clahe", "blocks", "report"}
    files = {"seg.npy", "em.npy", "order.csv"}
    words = [str(place / word) if word in names | files else word for word in case.words.split()]
    count = {"shard": 2, "create": 1, "mesh": 2, "skeleton": 2, "segment": 1, "stitch": 2, "evaluate": 1}
    front = count.get(case.words.split()[0], 3 if case.words.startswith(("image ccl", "image contrast")) else 2)
    return [*case.words.split()[:front], *words[front:]]


def ledgers_of(place: Path, case: Case) -> Iterator[Earlier]:
    store = open_store(str(place / case.layer))
    for key in store.list("ledger/"):
        if key.endswith("/job.json"):
            ledger = Ledger(store, key.split("/")[1])
            record = ledger.job()
            assert record is not None  # it was listed
            yield Earlier(ledger, record)


def run(case: Case, place: Path, seen: set[str]) -> dict[str, tuple[Done, list[Earlier]]]:
    """Do a command; what its new ledgers say, by kind."""
    run_command([TERAVOX, *words_of(case, place), "--quiet"])
    found: dict[str, tuple[Done, list[Earlier]]] = {}
    for earlier in ledgers_of(place, case):
        name = json.dumps([str(place), earlier.job.kind, earlier.job.job])
        if name in seen:
            continue
        seen.add(name)
        records = list(earlier.ledger.records())
        done = Done(
            len(records),
            sum(record.cpu_seconds for record in records),
            sum(record.bytes_in for record in records),
            sum(record.bytes_out for record in records),
            sum(record.requests_in for record in records),
            sum(record.requests_out for record in records),
            max((record.peak_bytes for record in records), default=0),
        )
        before, runs = found.get(earlier.job.kind, (Done(0, 0.0, 0, 0, 0, 0, 0), []))
        found[earlier.job.kind] = (add(before, done), [*runs, earlier])
    return found


def add(a: Done, b: Done) -> Done:
    return Done(
        a.tasks + b.tasks,
        a.cpu_seconds + b.cpu_seconds,
        a.bytes_in + b.bytes_in,
        a.bytes_out + b.bytes_out,
        a.requests_in + b.requests_in,
        a.requests_out + b.requests_out,
        max(a.peak_bytes, b.peak_bytes),
    )


def rate_line(case: Case, kind: str, done: Done, runs: Sequence[Earlier], voxels: int) -> str:
    """A line of a table of rates."""
    rate = measure_rate(runs[0])
    each = voxels * len(runs)
    cpu_ns, size = done.cpu_seconds / each * 1e9, done.bytes_out / each
    if rate is not None:  # its pieces are boxes of voxels
        cpu_ns, size = rate.cpu_ns, rate.bytes_out or 0.0
    name = f"{kind}, {SORTS[case.name]}" if case.name in SORTS else kind
    return f'"{name}" = {{ cpu_ns = {cpu_ns:.3g}, ns = {cpu_ns:.3g}, bytes_out = {size:.3g} }}'


def ratio_lines(place: Path, type: str, npy: str, encodings: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """What encodings make of voxels: as they are, and with gzip."""
    array = np.load(place / npy, mmap_mode="r")
    size = array.size if type == "segmentation" else array.nbytes
    for encoding in encodings:
        for compress in ("none", "gzip"):
            layer = place / f"ratio-{type}-{encoding}-{compress}"
            words = (
                f"--type {type} --chunk-size {CHUNK} --resolution 10,10,10 --encoding {encoding} --compress {compress}"
            )
            run_command([TERAVOX, "create", str(place / npy), str(layer), *words.split(), "--quiet"])
            stored = sum(file.stat().st_size for file in (layer / "10_10_10").iterdir())
            yield ("plain" if compress == "none" else "gzip"), encoding, f"{type} = {stored / size:.3g}"


def table_of(lines: Sequence[str], ratios: Sequence[tuple[str, str, str]]) -> str:
    """A whole table of rates."""
    said = [
        'form = "teravox rates 1"',
        f'measured = "{datetime.now(UTC).date()}"',
        'machine = "a core of a virtual machine (x86-64 server processor), local disk, while other work went on"',
        'volume = "corners of pinky40 (labels of cortex, uint64, 256 voxels each way) and of FIB-25 (grey, 8 bits)"',
        "start_seconds = 0.2  # of the processor, of each worker",
        "task_seconds = 0.02",
        "",
        "# Nanoseconds for each voxel of a kind's pieces: of the processor, and on the clock (the same, on a core of its own);",
        "# and the bytes that it writes for each, of which plans need only what no encoding tells.",
        "[kinds]",
        *sorted(lines),
        "",
        "# Stored bytes: of images for each byte of voxels, of segmentations for each voxel.",
    ]
    for how in ("plain", "gzip"):
        said.append(f"[ratios.{how}]")
        names = list(dict.fromkeys(encoding for word, encoding, _ in ratios if word == how))
        said += [
            f"{name} = {{ {', '.join(text for word, encoding, text in ratios if (word, encoding) == (how, name))} }}"
            for name in names
        ]
    return "\n".join([*said, "", LINES])


LINES = """\
# What lies between a worker and a bucket; these are assumed, and not measured.
[lines.aws]
request_seconds = 0.03
side_by_side = 16
bytes_per_second = 1e8
[lines.gcs]
request_seconds = 0.05
side_by_side = 16
bytes_per_second = 1e8
"""


def planned(case: Case, place: Path, rates: Path) -> tuple[PlannedStep, ...]:
    output = place / "plan.json"
    words = [TERAVOX, "plan", "--rates", str(rates), "--output", str(output), "--quiet", *words_of(case, place)]
    kept = [word for word in words if word != "--keep"]
    subprocess.run(kept, check=True)
    return read_plan(str(output)).steps


def compare(case: Case, steps: Sequence[PlannedStep], found: dict[str, tuple[Done, list[Earlier]]]) -> None:
    """A line for each kind: planned against done."""
    for kind, (done, _) in found.items():
        mine = [step for step in steps if step.kind == kind]

        def total(name: str, mine: Sequence[PlannedStep] = mine) -> float | None:
            figures = [getattr(step, name) for step in mine]
            return None if None in figures or not figures else float(sum(figures))

        memory = max((step.memory or 0 for step in mine), default=0)
        print(
            f"{case.name:16} {kind:24} tasks {_say(total('tasks'), done.tasks)}  "
            f"in {_say(total('bytes_in'), done.bytes_in)} {_say(total('requests_in'), done.requests_in)}  "
            f"out {_say(total('bytes_out'), done.bytes_out)} {_say(total('requests_out'), done.requests_out)}  "
            f"CPU {_say(total('cpu_seconds'), done.cpu_seconds)}  memory {_say(memory or None, done.peak_bytes)}",
            flush=True,
        )


def _say(plan: float | None, done: float) -> str:
    """How many times as much was planned."""
    return "    ?" if plan is None else f"{plan / done:5.2f}" if done else "    -"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=256, help="voxels of the labels, each way")
    parser.add_argument("--rates", type=Path, help="write the rates that were measured to this file")
    asked = parser.parse_args()
    labels, grey = volumes(asked.data)
    n = asked.size
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        prepare(place / "one", labels[:n, -n:, -n:], grey[:, :, :124])
        prepare(place / "two", labels[-n:, -n:, -n:], grey[:, :, -124:])
        seen: set[str] = set()
        lines: list[str] = []
        for case in CASES:
            source = "em" if " em" in case.words else "seg"
            voxels = 250 * 250 * 124 if source == "em" or "blocks" in case.words else n**3
            for kind, (done, runs) in run(case, place / "one", seen).items():
                lines.append(rate_line(case, kind, done, runs, voxels))
                print(lines[-1], flush=True)
        ratios = [
            *ratio_lines(place / "one", "segmentation", "seg.npy", ["raw", "compressed_segmentation", "compresso", "crackle"]),
            *ratio_lines(place / "one", "image", "em.npy", ["raw", "png", "jpeg"]),
        ]  # fmt: skip
        rates = asked.rates or place / "rates.toml"
        rates.write_text(table_of(lines, sorted(ratios)))
        print("planned as a part of what was done:")
        for case in CASES:
            steps = planned(case, place / "two", rates)
            compare(case, steps, run(case, place / "two", seen))


if __name__ == "__main__":
    main()
