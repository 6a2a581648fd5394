"""How fast layers are compared, and in how much memory: a segmentation with itself, moved by some voxels.

python -m benchmarks.evaluate SEGMENTATION [--scikit-image]

SEGMENTATION is a layer. Its moved copy is made in a temporary folder. Each way runs in a process of its own, and the
figures are CPU seconds, of the second time that it runs there; `decode` only reads both layers, which the others do too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOVED = (3, 2, 1)
WAYS: dict[str, dict[str, Any]] = {  # as many types as options
    "count": {},
    "count, --boundary 2,2,1": {"boundary": (2, 2, 1)},
    "count, --heat-map 256,256,256": {"heat_map": (256, 256, 256)},
}


def decode(a: str, b: str) -> None:
    from teravox.pipeline.layers.layer import Layer

    first, second = Layer.open(a), Layer.open(b)
    shared = first.bounds(0).intersect(second.bounds(0))
    for layer in (first, second):
        layer.read(shared, 0)


def evaluate(a: str, b: str, dest: str, options: dict[str, Any]) -> None:
    from teravox.tasks.evaluate.count import Count
    from teravox.tasks.evaluate.reduce import Reduce

    jobs = (Count(a, b, dest, **options), Reduce(a, b, dest, **options), Reduce(a, b, dest, **options, side="b"))
    for job in jobs:
        job.prepare()
        for piece in job.pieces():
            job.run(piece)  # type: ignore[arg-type]  # each gets its own pieces
        job.finish()


def by_scikit_image(a: str, b: str) -> None:
    from skimage import metrics

    from teravox.pipeline.layers.layer import Layer

    first, second = Layer.open(a), Layer.open(b)
    shared = first.bounds(0).intersect(second.bounds(0))
    x, y = (layer.read(shared, 0)[..., 0].astype(int) for layer in (first, second))
    ours: Any = metrics  # which has no types
    ours.variation_of_information(x, y, ignore_labels=[0])
    ours.adapted_rand_error(x, y)


def measure(way: str, a: str, b: str) -> None:
    """Run one way twice, and print the CPU seconds of the second time and the peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Callable[[], None]] = {
            "decode": lambda: decode(a, b),
            "scikit-image": lambda: by_scikit_image(a, b),
            **{name: lambda options=options: evaluate(a, b, folder, options) for name, options in WAYS.items()},  # type: ignore[misc]  # the default binds this turn's options
        }
        if way != "scikit-image":
            ways[way]()
        began = time.process_time()
        ways[way]()
        seconds = time.process_time() - began
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1000
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segmentation")
    parser.add_argument("--scikit-image", action="store_true", help="which holds all of it in memory, several times")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "MOVED"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.measure is not None:
        measure(said.measure[0], said.segmentation, said.measure[1])
        return
    from teravox.pipeline.layers.layer import Layer
    from teravox.tasks.image.transfer import Transfer

    with tempfile.TemporaryDirectory() as folder:
        copy = Transfer(said.segmentation, f"{folder}/moved", translate=MOVED, num_mips=0)
        copy.prepare()
        for piece in copy.pieces():
            copy.run(piece)
        whole = Layer.open(said.segmentation).bounds(0)
        voxels = whole.intersect(Layer.open(copy.dest).bounds(0)).voxels
        print(f"{said.segmentation}, moved by {MOVED}: {voxels / 1e6:,.0f} million voxels")
        for way in ("decode", *WAYS, *(["scikit-image"] if said.scikit_image else [])):
            words = [sys.executable, "-m", "benchmarks.evaluate", said.segmentation, "--measure", way, copy.dest]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            rate = voxels / 1e6 / found["seconds"]
            print(f"{way:32}{found['seconds']:8.2f} CPU s {rate:8.1f} MVx/s {found['megabytes']:8,.0f} MB")


if __name__ == "__main__":
    main()
