"""What leaves say as whole numbers, whose sums do not depend on their order, and the probabilities that sums become."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.learning.tree import Floats, Tree, Whole

MEAN, SIGMOID, SOFTMAX = 0, 1, 2
LINKS = {"mean": MEAN, "sigmoid": SIGMOID, "softmax": SOFTMAX}
LARGEST = 2.0**30  # that a sum may become
FINEST = 2.0**40  # of a leaf's one, where all leaves are near 0

_LOG2_E = 1 / math.log(2)
_LN2_HIGH = 0.693147180369123816490  # ln 2 in two parts, of which the first times a small whole number is exact
_LN2_LOW = 1.90821492927058770002e-10
_SERIES = tuple(1 / math.factorial(term) for term in range(12))


def scale_of(trees: Sequence[Tree]) -> float:
    """The power of two that leaves are multiplied with, so that no sum can be too large."""
    most = float(sum(np.abs(tree.values).max(initial=0) for tree in trees))
    return min(2.0 ** math.floor(math.log2(LARGEST / most)), FINEST) if most > 0 else 1.0


def whole_leaves(tree: Tree, scale: float) -> Whole:
    """The leaves of a tree, by leaf and class."""
    return np.rint(tree.values * np.float64(scale)).astype(np.int32)


@compiled
def fill_in(sums: NDArray[np.int32], link: int, unit: float, start: int, result: Floats) -> None:
    """The probabilities of the classes from the sums, by output and voxel, into the rows of `result` from `start` on."""
    outputs, width = sums.shape
    if link == MEAN:
        for one in range(outputs):
            for at in range(width):
                result[start + at, one] = sums[one, at] * unit
    elif link == SIGMOID:
        for at in range(width):
            second = 1 / (1 + _exp(-sums[0, at] * unit))
            result[start + at, 0] = 1 - second
            result[start + at, 1] = second
    else:
        for at in range(width):
            largest = sums[0, at]
            for one in range(1, outputs):
                largest = max(largest, sums[one, at])
            total = 0.0
            for one in range(outputs):
                total += _exp((sums[one, at] - largest) * unit)
            for one in range(outputs):
                result[start + at, one] = _exp((sums[one, at] - largest) * unit) / total


@compiled
def _exp(power: float) -> float:
    """The exponential, the same to the last bit in loops that take several values at once and on every machine."""
    power = min(max(power, -700.0), 700.0)
    twos = np.rint(power * _LOG2_E)
    rest = power - twos * _LN2_HIGH - twos * _LN2_LOW
    sum = _SERIES[11]
    for term in range(10, -1, -1):
        sum = sum * rest + _SERIES[term]
    return math.ldexp(sum, int(twos))
