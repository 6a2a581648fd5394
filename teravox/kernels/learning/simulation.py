"""Labelling as a person does it, slice by slice, where the truth is known: how good a classifier is after each slice.

By this the ways to choose the next slice are compared.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.slices import Look, Part, choose, look
from teravox.kernels.learning.train import LEAVES, Method, train_forest
from teravox.kernels.learning.uncertainty import uncertainty
from teravox.kernels.synthetic.strokes import paint_strokes

Features = NDArray[np.float32]  # feature, z, y and x
Truth = NDArray[Any]  # z, y and x, classes from 0
Way = Literal["suggested", "uncertain", "spread", "random"]

WAYS: tuple[Way, ...] = get_args(Way)
SEEN = 1500  # voxels of each slice that are looked at, and by which the classifier is judged
APART = 20  # slices are chosen further apart than the depth by this


class Painter(NamedTuple):
    """What is painted in each slice, and what is learnt by it."""

    strokes: int = 8
    length: int = 12  # voxels of a stroke
    method: Method = "boosting"
    trees: int | None = None  # as many as are usual for the method
    leaves: int = LEAVES


class Round(NamedTuple):
    """What has come of it after a slice."""

    position: int  # of the slice that was painted
    labels: int  # voxels that have a label by now
    dice: float  # the mean of the classes, over voxels of all slices


def simulate(
    features: Features, truth: Truth, way: Way, rounds: int, seed: int, painter: Painter | None = None
) -> list[Round]:
    """Paint so many slices, the first by chance and each further one as the way says.

    The same seed begins with the same slice, whatever the way.
    """
    rng = np.random.default_rng(seed)
    painter = painter or Painter()
    classes = int(truth.max()) + 1
    seen, known = _sample(features, truth)
    position = int(rng.integers(len(truth)))
    done: list[int] = []
    samples: list[Features] = []
    labels: list[NDArray[np.uint8]] = []
    result = []
    for _ in range(rounds):
        painted = paint_strokes(truth[position], painter.strokes, painter.length, rng)
        at = np.nonzero(painted)
        samples.append(features[:, position, at[0], at[1]])
        labels.append(painted[at] - 1)
        done.append(position)
        given = np.concatenate(samples, axis=1), np.concatenate(labels)
        forest = train_forest(*given, classes, method=painter.method, trees=painter.trees, leaves=painter.leaves)
        predicted = [forest.predict(one) for one in seen]
        likeliest = np.stack([one.argmax(axis=1) for one in predicted])
        result.append(Round(position, len(given[1]), mean_dice(likeliest, known, classes)))
        if len(done) == len(truth):
            break
        position = _next(way, seen, predicted, done, rng)
    return result


def mean_dice(found: NDArray[Any], truth: Truth, classes: int) -> float:
    """The mean over the classes of how much of each is in its place: 2 n(both) / (n(found) + n(truth))."""
    scores = []
    for one in range(classes):
        a, b = found == one, truth == one
        scores.append(2 * float((a & b).sum()) / max(1, int(a.sum()) + int(b.sum())))
    return float(np.mean(scores))


def _sample(features: Features, truth: Truth) -> tuple[list[Features], Truth]:
    """Some voxels of each slice, the same in all runs: their features, and their classes by slice and voxel."""
    rng = np.random.default_rng(len(truth))
    voxels = min(SEEN, truth[0].size)
    places = [rng.choice(truth[0].size, voxels, replace=False) for _ in truth]
    seen = [np.ascontiguousarray(features[:, z].reshape(len(features), -1)[:, place]) for z, place in enumerate(places)]
    return seen, np.stack([truth[z].reshape(-1)[place] for z, place in enumerate(places)])


def _next(
    way: Way, seen: list[Features], predicted: list[NDArray[np.float32]], done: list[int], rng: np.random.Generator
) -> int:
    free = [at for at in range(len(seen)) if at not in done]
    if way == "random":
        return free[int(rng.integers(len(free)))]
    if way == "spread":
        return max(free, key=lambda at: min(abs(at - one) for one in done))
    looks = [look(at, at in done, [Part(one, uncertainty(predicted[at]))]) for at, one in enumerate(seen)]
    if way == "uncertain":  # as if all slices looked the same
        looks = [Look(*one[:3], np.zeros(1), np.zeros(1)) for one in looks]
    return choose(looks, 1, spacing=len(seen) // APART)[0].at
