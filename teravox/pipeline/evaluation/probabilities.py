"""Probabilities as whole numbers, and what they say of how well foreground is told from background."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type
    Counts = NDArray[np.int64]

FLOAT_BINS = 1 << 16  # of equal width from 0 to 1; the last one has 1 too
_STEPS = {"uint8": 255, "uint16": 65535, "float32": FLOAT_BINS}  # which number stands for 1


def in_bins(values: Array, place: str) -> Array:
    """Whole numbers as they are, and fractions by the bins that they lie in; BadInput where one is no probability."""
    import numpy as np

    if values.dtype.kind == "u":
        return values
    if not (values >= 0).all() or not (values <= 1).all():
        raise BadInput(f"B: {place} has numbers that are not between 0 and 1, which probabilities are")
    return np.minimum(values * np.float32(FLOAT_BINS), np.float32(FLOAT_BINS - 1)).astype(np.uint16)


def least_foreground(threshold: float, data_type: str) -> int:
    """The smallest whole number that counts as foreground."""
    return math.ceil(threshold * _STEPS[data_type])


def value_of(number: int, data_type: str) -> float:
    """The probability that a whole number stands for; the lower end of a bin."""
    return number / _STEPS[data_type]


class Curve(msgspec.Struct, frozen=True):
    """What thresholds make of probabilities."""

    roc_auc: float | None  # the area under the curve of true positives over false positives
    average_precision: float | None  # the area under the steps of precision over recall
    best_dice: float | None
    best_threshold: float | None  # that gives it; of several the highest
    bins: int


def draw_curve(background: Counts, foreground: Counts, data_type: str) -> Curve:
    """The figures of two histograms of the same bins; those that are not defined are None."""
    import numpy as np

    bins = 1 << 8 if data_type == "uint8" else 1 << 16
    false, true = (np.concatenate([[0], np.cumsum(one[::-1])]) for one in (background, foreground))
    negatives, positives = int(false[-1]), int(true[-1])
    if not positives:
        return Curve(None, None, None, None, bins)
    auc = None
    if negatives:
        doubled = math.fsum(((true[1:] + true[:-1]) / positives * (np.diff(false) / negatives)).tolist())
        auc = doubled / 2
    called = true[1:] + false[1:]
    some = called > 0
    precision = true[1:][some] / called[some]
    average = math.fsum((np.diff(true)[some] / positives * precision).tolist())
    dice = 2 * true[1:] / (called + positives)
    best = int(np.argmax(dice))
    return Curve(auc, average, float(dice[best]), value_of(bins - 1 - best, data_type), bins)
