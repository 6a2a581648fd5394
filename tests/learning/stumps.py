"""Small forests made by hand, so that tests of prediction need no training."""

from __future__ import annotations

import numpy as np

from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.tree import Tree


def forest_of(features: int, *stumps: tuple[int, float]) -> Forest:
    """A forest whose trees each ask one feature whether it is above a value, for the second of two classes."""
    trees = tuple(
        Tree(
            np.array([feature], np.int32),
            np.array([value], np.float32),
            np.array([-1], np.int32),
            np.array([-2], np.int32),
            np.array([[0.9, 0.1], [0.2, 0.8]], np.float32),
        )
        for feature, value in stumps
    )
    return Forest(features, 2, "mean", trees)
