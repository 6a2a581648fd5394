"""How good segmentations are: whole volumes against stitched blocks, by every rule, also with mistakes planted in blocks.

It runs the kinds `segment` and `stitch` with the step files of examples/, none of which was trained, on volumes with a
dense truth that are read from the folder that TERAVOX_DATA or --data names. It needs what the tests need.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from layers.make import make_layer

from teravox.kernels.evaluation.pairs import count_pairs
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.operator_modules import name_module
from teravox.pipeline.segmentation.steps import Step, read_steps_file
from teravox.tasks.segment import Segment
from teravox.tasks.stitch.match import Match
from teravox.tasks.stitch.relabel import Relabel
from teravox.tasks.stitch.resolve import Resolve

EXAMPLES = Path(__file__).parent.parent / "examples"
RULES = ("none", "conservative", "medium", "aggressive")
PLANTED = Step("planted_merges:agglomerate", {"every": 4})
Vec = tuple[int, int, int]
Labels = NDArray[np.uint64]
Row = dict[str, Any]  # what a row of the table says
name_module("planted_merges")  # as --plugin does


class Volume(NamedTuple):
    """A volume with its truth, in x, y and z; voxels where the truth is 0 do not count."""

    gray: NDArray[Any]  # of whatever number
    truth: Labels
    resolution: tuple[float, float, float]  # nanometers
    chunk: Vec
    blocks: tuple[tuple[Vec, Vec], ...]  # size and halo
    in_slices: bool = False  # the truth numbers each slice anew
    objects: bool = False  # the truth is objects with background between them, which are matched one to one
    min_size: int = 0  # voxels of the smallest body that is not dropped when all are stitched


def fib25(data: Path) -> Volume:
    """FIB-SEM of the fly's medulla, 250 x 250 x 130."""
    file = np.load(data / "fib25_medulla" / "train_z000-130.npz")
    blocks = (((64, 64, 64), (32, 32, 32)), ((128, 128, 128), (20, 20, 20)))
    return Volume(file["gray"].T, file["groundtruth"].T.astype(np.uint64), (10, 10, 10), (64, 64, 64), blocks)


def isbi2012(data: Path) -> Volume:
    """Thin sections of the fly's nerve cord, 512 x 512 x 20; the truth is components of each slice between membranes."""
    import cc3d

    file = np.load(data / "isbi2012" / "train_z00-20.npz")
    truth = np.zeros(file["raw"].shape, np.uint64)
    for plane, result in zip(file["membrane_gt"], truth, strict=True):
        result[...] = cc3d.connected_components((plane > 0).view(np.uint8), connectivity=4)
    blocks = (((64, 64, 20), (64, 64, 0)), ((128, 128, 20), (32, 32, 0)))
    return Volume(file["raw"].T, truth.T, (4, 4, 50), (64, 64, 20), blocks, in_slices=True)


def plantseg(data: Path) -> Volume:
    """Nuclei of plant tissue in a confocal microscope, 100 x 100 x 100."""
    import h5py  # type: ignore[import-untyped]  # it has no types

    with h5py.File(data / "plantseg" / "1135_mini.h5") as file:
        raw, label = file["raw"], file["label"]
        z, y, x = (float(1000 * side) for side in raw.attrs["element_size_um"])
        gray, truth = np.asarray(raw), np.asarray(label).astype(np.uint64)
    blocks = (((64, 64, 64), (16, 16, 16)),)
    return Volume(gray.T, truth.T, (x, y, z), (32, 32, 32), blocks, objects=True, min_size=600)


VOLUMES: dict[str, Callable[[Path], Volume]] = {"fib25": fib25, "isbi2012": isbi2012, "plantseg": plantseg}


def measure(name: str, volume: Volume, folder: Path) -> Iterator[Row]:
    """The figures of the whole volume in one block, then of blocks by every rule, then of blocks with mistakes."""
    x, y, z = volume.gray.shape
    source = make_layer(
        folder / "em", volume.gray[..., np.newaxis], chunk=volume.chunk, resolution=volume.resolution, compress=False
    )
    steps = read_steps_file(str(EXAMPLES / f"segment_{name}.toml"))
    assert steps.agglomerate is not None
    all_of_it = tuple(-(-size // chunk) * chunk for size, chunk in zip((x, y, z), volume.chunk, strict=True))
    runs = [("whole", (all_of_it[0], all_of_it[1], all_of_it[2]), (1, 1, 1), steps.agglomerate)]
    for shape, halo in volume.blocks:
        runs += [
            ("blocks", shape, halo, steps.agglomerate),
            ("planted", shape, halo, (*steps.agglomerate, PLANTED)),
        ]
    for number, (kind, shape, halo, agglomerate) in enumerate(runs):
        dest = str(folder / f"seg{number}")
        before = time.process_time()
        run_all(Segment(source=source, dest=dest, shape=shape, halo=halo, steps=steps, agglomerate=agglomerate))
        seconds = time.process_time() - before
        for rule in RULES if kind != "whole" else ("none",):
            before = time.process_time()
            if rule == RULES[0]:
                run_all(Match(layer=dest))
            labels = stitch(dest, rule, f"{dest}-{rule}", volume.min_size)
            yield {
                "volume": name,
                "run": kind,
                "blocks": " ".join(map(str, shape)) if kind != "whole" else "",
                "halo": halo[0],
                "rule": rule if kind != "whole" else "",
                **score(labels, volume),
                "segment CPU s": seconds,
                "stitch CPU s": time.process_time() - before,
            }


def run_all(job: AnyJob) -> None:
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    job.finish()


def stitch(layer: str, rule: Any, dest: str, min_size: int = 0) -> Labels:  # Any: the name of one
    """Join the blocks of a layer by a rule; the bodies."""
    for step in range(1, Resolve(layer=layer, rule=rule, min_size=min_size).steps + 1):
        run_all(Resolve(layer=layer, rule=rule, min_size=min_size, step=step))
    run_all(Relabel(layer=layer, rule=rule, min_size=min_size, dest=dest))
    written = Layer.open(dest)
    return written.read(written.bounds(0), 0)[..., 0].astype(np.uint64, copy=False)


def score(labels: Labels, volume: Volume) -> Row:
    """VI in bits; and how well objects match, or Rand."""
    bodies = int(np.count_nonzero(np.unique(labels)))
    pairs = _pairs_in_slices(labels, volume.truth) if volume.in_slices else _pairs(labels, volume.truth)
    if volume.objects:
        return {"bodies": bodies, **_matches(*pairs)}
    inside = pairs[0] != 0
    truth, found, voxels = (numbers[inside] for numbers in pairs)
    in_truth, in_found = _sums(truth, voxels), _sums(found, voxels)
    split, merge = (float(voxels @ np.log2(sums / voxels)) / voxels.sum() for sums in (in_truth, in_found))
    together = [float(sums) for sums in ((voxels**2).sum(), (in_truth * voxels).sum(), (in_found * voxels).sum())]
    return {
        "bodies": bodies,
        "VI split": split,
        "VI merge": merge,
        "VI": split + merge,
        "Rand F": 2 * together[0] / (together[1] + together[2]),
    }


def _pairs(labels: Labels, truth: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Which label of the truth and which one found share how many voxels."""
    found = count_pairs(truth.ravel(order="F"), labels.ravel(order="F"), 1 << 30)
    assert found is not None
    return found[0].astype(np.int64), found[1].astype(np.int64), found[2].astype(np.float64)


def _pairs_in_slices(labels: Labels, truth: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The same, where labels of different slices are different ones."""
    planes = labels.shape[2]
    found = [_pairs(labels[..., z], truth[..., z]) for z in range(planes)]
    first = [np.where(pairs[0] == 0, 0, pairs[0] * planes + z) for z, pairs in enumerate(found)]
    second = [pairs[1] * planes + z for z, pairs in enumerate(found)]
    return np.concatenate(first), np.concatenate(second), np.concatenate([pairs[2] for pairs in found])


def _sums(labels: NDArray[np.int64], voxels: NDArray[np.float64]) -> NDArray[np.float64]:
    """By pair, the voxels of its label."""
    _, numbers = np.unique(labels, return_inverse=True)
    return np.bincount(numbers, voxels)[numbers].astype(np.float64)


def _matches(truth: NDArray[np.int64], found: NDArray[np.int64], voxels: NDArray[np.float64]) -> Row:
    """Objects that share more than half of what either has: one to one."""
    union = _sums(truth, voxels) + _sums(found, voxels) - voxels
    objects = (truth != 0) & (found != 0)
    matched = int((objects & (voxels > 0.5 * union)).sum())
    of_truth, of_found = (int(np.count_nonzero(np.unique(labels))) for labels in (truth, found))
    return {
        "matched": matched,
        "of": of_truth,
        "precision": matched / of_found,
        "recall": matched / of_truth,
        "F": 2 * matched / (of_found + of_truth),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volumes", nargs="*", help=f"of {', '.join(VOLUMES)}; all without any")
    parser.add_argument("--data", default=os.environ.get("TERAVOX_DATA"), help="folder with the volumes")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder with the volumes: --data or TERAVOX_DATA")
    for name in options.volumes or VOLUMES:
        heading = ""
        with tempfile.TemporaryDirectory() as folder:
            for row in measure(name, VOLUMES[name](Path(options.data)), Path(folder)):
                if options.json:
                    print(json.dumps(row), flush=True)
                    continue
                if heading != (heading := "".join(f"{word:>14}" for word in row)):
                    print(heading)
                cells = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row.values())
                print("".join(f"{cell:>14}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
