"""How well probabilities tell classes apart: confusions, precision and recall, and the curves of all thresholds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]  # of any whole numbers, from 0 on
Floats = NDArray[np.float32]
Exact = NDArray[np.float64]


class ClassScore(NamedTuple):
    """How well one class is told from all others; None where there is nothing that it could be measured on."""

    precision: float | None  # of the samples that are said to be of the class, those that are
    recall: float | None  # of the samples of the class, those that are said to be
    f: float | None
    roc_auc: float | None
    average_precision: float | None


class Curve(NamedTuple):
    """A curve over all thresholds, from the highest to the lowest."""

    x: Exact
    y: Exact


def confusion(truth: Labels, said: Labels, classes: int) -> NDArray[np.int64]:
    """By true class and by class that is said, how many samples."""
    found: NDArray[np.int64] = np.bincount(truth * classes + said, minlength=classes * classes).reshape(
        classes, classes
    )
    return found


def likeliest(probabilities: Floats) -> NDArray[np.int64]:
    """The class of the highest probability of each sample, the first of equal ones."""
    best: NDArray[np.int64] = probabilities.argmax(axis=1)
    return best


def score_classes(truth: Labels, probabilities: Floats) -> list[ClassScore]:
    """The scores of each class."""
    table = confusion(truth, likeliest(probabilities), probabilities.shape[1])
    scores = []
    for one in range(probabilities.shape[1]):
        right = int(table[one, one])
        precision, recall = _share(right, int(table[:, one].sum())), _share(right, int(table[one].sum()))
        f = _share(2 * right, int(table[:, one].sum() + table[one].sum()))
        curves = count_curve(truth == one, probabilities[:, one])
        scores.append(ClassScore(precision, recall, f, roc_auc(curves), average_precision(curves)))
    return scores


class Counts(NamedTuple):
    """By threshold, from the highest one: the samples at or above it that are of a class, and that are not."""

    hits: NDArray[np.int64]
    alarms: NDArray[np.int64]

    @property
    def positives(self) -> int:
        return int(self.hits[-1])

    @property
    def negatives(self) -> int:
        return int(self.alarms[-1])


def count_curve(is_one: NDArray[np.bool_], probability: Floats) -> Counts:
    """The counts at all thresholds that differ."""
    falling = np.argsort(-probability, kind="stable")
    hits = np.cumsum(is_one[falling], dtype=np.int64)
    last = np.flatnonzero(np.append(np.diff(probability[falling]) != 0, len(falling) > 0))
    hits = hits[last]
    return Counts(np.append(0, hits), np.append(0, last + 1 - hits))


def roc_curve(counts: Counts) -> Curve:
    """The share of samples of other classes that are taken for the class, and the share of its own that are."""
    return Curve(counts.alarms / max(counts.negatives, 1), counts.hits / max(counts.positives, 1))


def precision_recall_curve(counts: Counts) -> Curve:
    """The share of the class that is found, and the share of what is found that is of the class."""
    hits, alarms = counts.hits[1:], counts.alarms[1:]
    return Curve(hits / max(counts.positives, 1), hits / (hits + alarms))


def roc_auc(counts: Counts) -> float | None:
    """How often a sample of the class has a higher probability of it than one of another class."""
    if not counts.positives or not counts.negatives:
        return None
    x, y = roc_curve(counts)
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum())


def average_precision(counts: Counts) -> float | None:
    """The mean of the precisions at all thresholds, by how much recall each adds."""
    if not counts.positives:
        return None
    recall, precision = precision_recall_curve(counts)
    return float((np.diff(recall, prepend=0) * precision).sum())


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
