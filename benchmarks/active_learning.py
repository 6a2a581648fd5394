"""How many labels are needed if the slices to label are suggested, and how many if they are taken by chance or evenly.

An oracle that knows the truth paints strokes in one slice after the other, and a classifier learns anew after each. Every
way begins with the same slices. Printed is the mean Dice of the classes after each slice, over several seeds, and how
many labelled voxels it takes to come near to what all slices that are taken by chance reach.

The volumes are neurites whose contrast and noise drift, with mitochondria only in some slices, and, where TERAVOX_DATA
names a folder that has them, serial sections (isbi2012) and an isotropic volume (fib25), whose membranes are learnt.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.features import compute
from teravox.kernels.learning.selection import DEFAULT, matrix
from teravox.kernels.learning.simulation import WAYS, Painter, Round, Way, simulate
from teravox.kernels.learning.train import Method
from teravox.kernels.synthetic.neurites import draw_neurites

SIZE = (112, 112, 96)  # x, y, z
MEMBRANE = 110  # grey values below it, without noise, are membrane
NEAR = 0.97  # of what slices taken by chance reach at last is wanted
STEP = 2  # of isotropic volumes every second slice may be labelled


Curve = NDArray[np.float64]  # by slice


class Volume(NamedTuple):
    """Features and classes by feature, z, y and x."""

    name: str
    features: NDArray[np.float32]
    truth: NDArray[np.uint8]


def neurites(name: str, *, drifts: bool, rare: bool) -> Volume:
    """Membranes, insides and mitochondria; these are in the upper quarter only if they are `rare`."""
    full = draw_neurites(SIZE, (0, 0, 0), SIZE, 5, bodies=0.6, noise=0.0)
    bare = draw_neurites(SIZE, (0, 0, 0), SIZE, 5, bodies=0.0, noise=0.0)
    with_bodies, without = (one.image.reshape(SIZE, order="F").T.astype(np.float32) for one in (full, bare))
    z = np.arange(SIZE[2])[:, np.newaxis, np.newaxis]
    share = z / SIZE[2]
    there = z > 0.74 * SIZE[2] if rare else z >= 0
    bodies = (without - with_bodies > 20) & (without >= MEMBRANE) & there
    image = np.where(there, with_bodies, without)
    noise = np.random.default_rng(1).normal(size=image.shape) * (14 + 10 * share * drifts)
    if drifts:
        image = 128 + (image - 128) * (1 - 0.5 * share**2) + 30 * share
    truth = np.where(without < MEMBRANE, 0, np.where(bodies, 2, 1)).astype(np.uint8)
    found = compute(np.rint(image + noise).clip(0, 255).astype(np.uint8), DEFAULT, (1, 1, 1))
    return Volume(name, found[:, ::STEP], truth[::STEP])


def isbi2012(folder: Path) -> Volume:
    data = np.load(folder / "isbi2012" / "train_z00-20.npz")
    gray, truth = (data[word][:, :256, :256] for word in ("raw", "membrane_gt"))
    flat = matrix(sigmas=(0.7, 1.6, 3.5), flat=True)
    return Volume("isbi2012", compute(gray, flat, (50, 4, 4)), (truth > 0).astype(np.uint8))


def fib25(folder: Path) -> Volume:
    data = np.load(folder / "fib25_medulla" / "train_z000-130.npz")
    gray, bodies = (data[word][:, :128, :128] for word in ("gray", "groundtruth"))
    truth = fib25_truth(bodies)
    return Volume("fib25", compute(gray, DEFAULT, (10, 10, 10))[:, ::STEP], truth[::STEP])


def fib25_truth(bodies: NDArray[Any]) -> NDArray[np.uint8]:
    """0 for membrane: what belongs to no body, and both sides of each face between two; 1 for the inside of bodies."""
    inside = bodies > 0
    for axis in range(3):
        first, second = np.moveaxis(bodies, axis, 0)[:-1], np.moveaxis(bodies, axis, 0)[1:]
        along = np.moveaxis(inside, axis, 0)
        along[:-1] &= first == second
        along[1:] &= first == second
    return inside.astype(np.uint8)


def volumes() -> list[Volume]:
    made = [
        neurites("neurites that drift", drifts=True, rare=False),
        neurites("neurites with a rare class", drifts=False, rare=True),
        neurites("neurites with both", drifts=True, rare=True),
    ]
    data = os.environ.get("TERAVOX_DATA")
    return [*made, isbi2012(Path(data)), fib25(Path(data))] if data else made


def reached(labels: Curve, dice: Curve, target: float) -> str:
    """How many labels it takes to reach a Dice, by a line from slice to slice."""
    at = int(np.argmax(dice >= target))
    if dice[at] < target:
        return f"> {labels[-1]:.0f}"
    share = 1.0 if at == 0 else (target - dice[at - 1]) / (dice[at] - dice[at - 1])
    return f"{labels[max(0, at - 1)] + share * (labels[at] - labels[max(0, at - 1)]):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help="slices that are labelled")
    parser.add_argument("--seeds", type=int, default=6, help="runs of each way")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--method", choices=get_args(Method), default="boosting", help="what is trained")
    options: Any = parser.parse_args()
    painter = Painter(method=options.method)
    for volume in volumes():
        curves: dict[Way, list[list[Round]]] = {
            way: [
                simulate(volume.features, volume.truth, way, options.rounds, seed, painter)
                for seed in range(options.seeds)
            ]
            for way in options.ways
        }
        means: dict[Way, Any] = {
            way: np.array([[(one.labels, one.dice) for one in run] for run in runs]) for way, runs in curves.items()
        }
        last = means.get("random", next(iter(means.values())))[:, -1, 1].mean()
        target = float(NEAR * last)
        print(
            f"\n{volume.name}: {volume.truth.shape} voxels; wanted is a Dice of {target:.3f}, {NEAR:.0%} of {last:.3f}"
        )
        for way, found in means.items():
            labels, dice = found.mean(axis=0).T
            error = found[..., 1].mean(axis=1).std(ddof=1) / np.sqrt(options.seeds) if options.seeds > 1 else 0.0
            after = " ".join(f"{one:.3f}" for one in dice)
            print(
                f"{way:10} labels {reached(labels, dice, target):>5}  Dice, mean of all slices {dice.mean():.3f} ± {error:.3f}  "
                f"after each {after}",
                flush=True,
            )


if __name__ == "__main__":
    main()
