"""Which slices are worth labelling next: those of which the classifier is unsure, and that look like none labelled yet.

What counts is the mean uncertainty. So that slices which are chosen together are not all of one sort, it is multiplied by
a small power of how much a slice differs, in the features that the classifier sees, from the labelled or chosen slice that
is most like it. Where there is no classifier yet, that difference alone counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.uncertainty import Uncertainty

NOVELTY = 0.25  # the power of it that counts beside uncertainty; measured: more of it is worse, less is no better
BLOCK = 32  # voxels along the sides of what is looked at as one place of a slice

Features = NDArray[np.float32]  # feature, and voxel
Doubles = NDArray[np.float64]


class Look(NamedTuple):
    """What was seen of a slice."""

    position: int
    labelled: bool
    uncertainty: float  # the mean; 0 where there is no classifier yet
    means: Doubles  # by feature
    squares: Doubles  # by feature: the mean square


class Chosen(NamedTuple):
    """A slice to label: where it stands among those looked at, and its score."""

    at: int
    score: float


class Place(NamedTuple):
    """A block of a slice, by its first row and column, and how unsure the classifier is of it on average."""

    row: int
    column: int
    score: float


class Part(NamedTuple):
    """A window of a slice: its features, and how unsure the classifier is of its voxels, if there is one."""

    features: Features
    uncertain: Uncertainty | None  # of any axes


def look(position: int, labelled: bool, parts: Iterable[Part]) -> Look:
    """What some windows of a slice tell of it."""
    voxels, unsure, sums, squares = 0, 0.0, np.zeros(0), np.zeros(0)
    for features, uncertain in parts:
        wide = features.astype(np.float64)
        sums = wide.sum(axis=1) + (sums if voxels else 0)
        squares = np.einsum("fv,fv->f", wide, wide) + (squares if voxels else 0)
        voxels += features.shape[1]
        unsure += 0.0 if uncertain is None else float(uncertain.sum(dtype=np.float64))
    return Look(position, labelled, unsure / voxels, sums / voxels, squares / voxels)


def choose(looks: Sequence[Look], number: int, *, labelled: Collection[int] = (), spacing: int = 1) -> list[Chosen]:
    """At most so many slices that are not labelled, the one to label first at the beginning.

    They lie `spacing` or more from labelled ones and from each other, and closer only where there are too few of those.
    `labelled` are the positions of slices that are labelled, whether they were looked at or not.
    """
    if not looks:
        return []
    apart = _apart(looks)
    largest = float(apart.max(initial=0.0))
    unsure = np.array([one.uncertainty for one in looks])
    has_model = bool(unsure.any())  # or it is sure of everything
    if not has_model:
        unsure = np.ones(len(looks))
    known = [at for at, one in enumerate(looks) if one.labelled]
    taken = {*labelled, *(looks[at].position for at in known)}
    positions = np.array([one.position for one in looks])
    chosen: list[Chosen] = []
    while len(chosen) < number:
        scores = unsure * _novelty(apart, known, largest) ** (NOVELTY if has_model else 1)
        best = _best(scores, positions, sorted(taken), spacing)
        if best is None:
            break
        chosen.append(Chosen(best, float(scores[best])))
        known.append(best)
        taken.add(looks[best].position)
    return chosen


def _best(scores: Doubles, positions: NDArray[np.int64], taken: list[int], spacing: int) -> int | None:
    """The slice with the highest score, the first of equal ones, among those that are far enough from what is taken."""
    away = np.full(len(scores), np.inf)
    if taken:
        away = np.abs(positions[:, np.newaxis] - np.array(taken)).min(axis=1).astype(np.float64)
    while spacing > 1 and not (away >= spacing).any():
        spacing //= 2
    free = np.flatnonzero(away >= max(1, spacing))
    return int(free[scores[free].argmax()]) if len(free) else None


def _novelty(apart: Doubles, known: list[int], largest: float) -> Doubles:
    """How unlike the known slices each one is, 1 for the furthest apart that two are; where none is known, how usual it is."""
    if largest == 0:
        return np.ones(len(apart))
    if not known:
        around: Doubles = apart.mean(axis=1)
        return 1 - around / largest
    nearest: Doubles = apart[:, known].min(axis=1)
    return nearest / largest


def _apart(looks: Sequence[Look]) -> Doubles:
    """How much two slices differ in the means and deviations of features, each in units of its deviation over all slices."""
    means = np.stack([one.means for one in looks])
    squares = np.stack([one.squares for one in looks])
    spreads = np.sqrt(np.maximum(squares - means * means, 0))
    whole = np.sqrt(np.maximum(squares.mean(axis=0) - means.mean(axis=0) ** 2, 0))
    whole[whole == 0] = 1  # a feature that is the same everywhere tells nothing
    described = np.concatenate([means, spreads], axis=1) / np.tile(whole, 2)
    apart: Doubles = np.sqrt(((described[:, np.newaxis] - described) ** 2).sum(axis=2))
    return apart


def find_place(uncertain: Uncertainty, block: int = BLOCK) -> Place:
    """The most uncertain block of a slice of rows and columns, smaller at its ends; the first of equal ones."""
    rows, columns = (np.arange(0, n, block) for n in uncertain.shape)
    sums = np.add.reduceat(np.add.reduceat(uncertain.astype(np.float64), rows, axis=0), columns, axis=1)
    high = np.minimum(block, uncertain.shape[0] - rows)
    wide = np.minimum(block, uncertain.shape[1] - columns)
    voxels = high[:, np.newaxis] * wide
    means = sums / np.maximum(voxels, voxels.max() // 4)  # of a rim of few voxels the mean tells little
    row, column = np.unravel_index(int(means.argmax()), means.shape)
    return Place(int(rows[row]), int(columns[column]), float(means[row, column]))
