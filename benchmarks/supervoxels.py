"""Classifiers of supervoxels beside one of voxels: how good they are by the same labels, and what they cost.

Strokes are painted in slices of the first half of a volume, and what is predicted of the second half is compared with its
truth: the mean Dice of the classes, and the area under the ROC curve of the first class. `predict` is everything, from
grey values to classes, and `again` what is left to do when the labels change and nothing else: as megavoxels a CPU second.

The volumes are neurites with mitochondria, a brain with cells and vessels, and, where TERAVOX_DATA names a folder that
has them, serial sections (isbi2012) and an isotropic volume (fib25).
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.active_learning import fib25_truth
from teravox.kernels.learning.features import compute
from teravox.kernels.learning.selection import DEFAULT, Selection, matrix
from teravox.kernels.learning.simulation import mean_dice
from teravox.kernels.learning.slic_tiles import Supervoxels, tile_for
from teravox.kernels.learning.supervoxel_prediction import describe
from teravox.kernels.learning.train import train_forest
from teravox.kernels.learning.votes import count_votes
from teravox.kernels.synthetic.brain import draw_brain
from teravox.kernels.synthetic.neurites import draw_neurites
from teravox.kernels.synthetic.strokes import paint_strokes

SIZE = (128, 128, 64)  # x, y, z
STROKES, LENGTH = 24, 12  # in each slice
SIZES = (50, 100, 200, 400, 1000)
WORKING_MEMORY = 500_000_000
Zyx = tuple[float, float, float]


class Volume(NamedTuple):
    name: str
    gray: NDArray[Any]  # z, y, x
    truth: NDArray[np.uint8]  # classes from 0
    resolution: Zyx
    selection: Selection = DEFAULT
    slices: int = 4  # that are painted


class Result(NamedTuple):
    dice: float
    area: float
    samples: int
    predict: float
    again: float


def neurites() -> Volume:
    """Membranes, insides and mitochondria."""
    noisy = draw_neurites(SIZE, (0, 0, 0), SIZE, 5, bodies=0.6)
    full = draw_neurites(SIZE, (0, 0, 0), SIZE, 5, bodies=0.6, noise=0.0)
    bare = draw_neurites(SIZE, (0, 0, 0), SIZE, 5, bodies=0.0, noise=0.0)
    gray, with_bodies, without = (one.image.reshape(SIZE, order="F").T.astype(np.int16) for one in (noisy, full, bare))
    truth = np.where(without < 110, 0, np.where(without - with_bodies > 20, 2, 1))
    return Volume("neurites: membrane, mitochondria", gray.astype(np.uint8), truth.astype(np.uint8), (8, 8, 8))


def brain() -> Volume:
    drawn = draw_brain(SIZE, (0, 0, 0), SIZE, 3)
    gray, truth = (one.reshape(SIZE, order="F").T for one in (drawn.image, drawn.classes))
    return Volume("brain: cells, vessels", np.ascontiguousarray(gray), truth.astype(np.uint8), (1, 1, 1))


def isbi2012(folder: Path) -> Volume:
    data = np.load(folder / "isbi2012" / "train_z00-20.npz")
    gray, truth = (data[word][:, :384, :384] for word in ("raw", "membrane_gt"))
    flat = matrix(sigmas=(0.7, 1.6, 3.5), flat=True)
    return Volume("isbi2012: membrane", gray, (truth > 0).astype(np.uint8), (50, 4, 4), flat)


def fib25(folder: Path) -> Volume:
    data = np.load(folder / "fib25_medulla" / "train_z000-130.npz")
    gray, bodies = (data[word][:100, :128, :128] for word in ("gray", "groundtruth"))
    return Volume("fib25: membrane", gray, fib25_truth(bodies), (10, 10, 10))


def paint(volume: Volume, seed: int) -> NDArray[np.uint8]:
    """Strokes in slices of the first half."""
    rng = np.random.default_rng(seed)
    labels = np.zeros_like(volume.truth)
    for z in rng.choice(len(labels) // 2, volume.slices, replace=False):
        labels[z] = paint_strokes(volume.truth[z], STROKES, LENGTH, rng)
    return labels


def of_voxels(volume: Volume, labels: NDArray[np.uint8]) -> Result:
    began = time.process_time()
    features = compute(volume.gray, volume.selection, volume.resolution)
    described = time.process_time() - began
    flat, said = features.reshape(len(features), -1), labels.reshape(-1)
    forest = train_forest(flat[:, said > 0], said[said > 0] - 1, int(volume.truth.max()) + 1)
    forest.predict(flat[:, :1000])  # compiles
    began = time.process_time()
    found = forest.predict(flat)
    return score(volume, found, int((said > 0).sum()), described, time.process_time() - began)


def of_supervoxels(volume: Volume, labels: NDArray[np.uint8], size: int) -> Result:
    low, high = np.percentile(volume.gray, (0.5, 99.5))
    how = Supervoxels(float(low), float(high), tile_for(size, volume.resolution), size)
    z, y, x = volume.gray.shape
    kept = ((0, z), (0, y), (0, x))
    began = time.process_time()
    described = describe(volume.gray, volume.selection, how, volume.resolution, (0, 0, 0), kept, WORKING_MEMORY)
    taken = time.process_time() - began
    classes = int(volume.truth.max()) + 1
    votes = count_votes(described.cut.labels, described.cut.number, labels, classes)
    forest = train_forest(described.pooled[:, votes.places], votes.classes, classes)
    began = time.process_time()
    found = forest.predict(described.pooled)[described.places(kept).reshape(-1)]
    return score(volume, found, len(votes.places), taken, time.process_time() - began)


def score(volume: Volume, found: NDArray[np.float32], samples: int, described: float, predicted: float) -> Result:
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # it has no types

    classes = found.shape[1]
    half = volume.truth.size // volume.truth.shape[0] * (volume.truth.shape[0] // 2)
    found, truth = found[half:], volume.truth.reshape(-1)[half:]
    megavoxels = volume.truth.size / 1e6
    return Result(
        mean_dice(found.argmax(axis=1), truth, classes),
        float(roc_auc_score(truth == 0, found[:, 0])),
        samples,
        megavoxels / (described + predicted),
        megavoxels / predicted,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="how often it is done, with other strokes")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="voxels of a supervoxel")
    options = parser.parse_args()
    data = os.environ.get("TERAVOX_DATA")
    volumes = [neurites(), brain(), *([isbi2012(Path(data)), fib25(Path(data))] if data else [])]
    for volume in volumes:
        painted = [paint(volume, seed) for seed in range(options.seeds)]
        labels = np.mean([(one > 0).sum() for one in painted])
        print(f"\n{volume.name}: {volume.gray.shape} voxels, {labels:.0f} of them labelled")
        of_voxels(volume, painted[0])
        of_supervoxels(volume, painted[0], options.sizes[0])
        for size in (None, *options.sizes):
            runs = [of_voxels(volume, one) if size is None else of_supervoxels(volume, one, size) for one in painted]
            dice, area, samples = (np.mean([run[at] for run in runs]) for at in range(3))
            spread = np.std([run.dice for run in runs])
            print(
                f"{'voxels' if size is None else f'supervoxels of {size}':20} Dice {dice:.3f} ± {spread:.3f}  AUC {area:.3f}  "
                f"samples {samples:5.0f}  predict {max(run.predict for run in runs):5.2f}  again "
                f"{max(run.again for run in runs):7.1f} MVx/s",
                flush=True,
            )


if __name__ == "__main__":
    main()
