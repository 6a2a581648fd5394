"""How unsure a classifier is of a voxel, from 0 for sure to 1 for no idea, by the probabilities of its classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.measures import DEFAULT, Measure

Probabilities = NDArray[np.float32]  # of any axes, the last one by class; each row sums to 1
Uncertainty = NDArray[np.float32]  # the same axes without the last one


def uncertainty(probabilities: Probabilities, measure: Measure = DEFAULT) -> Uncertainty:
    """How unsure each row is; 0 everywhere where there is but one class."""
    classes = probabilities.shape[-1]
    if classes < 2:
        return np.zeros(probabilities.shape[:-1], np.float32)
    found = _BY_NAME[measure](np.clip(probabilities, np.float32(0), np.float32(1)))
    return np.clip(found, np.float32(0), np.float32(1), out=found)  # beyond which rounding may lead


def margin(probabilities: Probabilities) -> Uncertainty:
    """1 less the lead of the likeliest class over the next one."""
    classes = probabilities.shape[-1]
    if classes == 2:  # which needs no sorting
        lead: Uncertainty = np.abs(probabilities[..., 1] - probabilities[..., 0])
    else:
        highest = np.partition(probabilities, (classes - 2, classes - 1), axis=-1)
        lead = highest[..., -1] - highest[..., -2]
    return np.subtract(np.float32(1), lead, out=lead)


def entropy(probabilities: Probabilities) -> Uncertainty:
    """The information that the class would be, as a share of the most that so many classes allow."""
    positive = np.maximum(probabilities, np.float32(np.finfo(np.float32).tiny))
    information: Uncertainty = -(probabilities * np.log(positive)).sum(axis=-1)
    information *= np.float32(1 / np.log(probabilities.shape[-1]))
    return information


def least_confidence(probabilities: Probabilities) -> Uncertainty:
    """How far the likeliest class is from certain, as a share of the furthest that it can be."""
    classes = probabilities.shape[-1]
    doubt: Uncertainty = 1 - probabilities.max(axis=-1)
    doubt *= np.float32(classes / (classes - 1))
    return doubt


_BY_NAME: dict[Measure, Callable[[Probabilities], Uncertainty]] = {
    "margin": margin,
    "entropy": entropy,
    "least-confidence": least_confidence,
}
