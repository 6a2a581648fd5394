"""Which samples are held back together when a classifier is tested on what it has not seen.

Neighbouring voxels of one stroke are all but the same. Were some of them trained on and others tested, a classifier that
only remembers would seem good. So the volume is cut into blocks, and all samples of a block are held back together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.scale import Zyx, sides

LARGEST, SMALLEST = 64, 8  # voxels of the finest axis along a block

Places = NDArray[np.int64]  # a row of x, y and z for each sample
Labels = NDArray[Any]  # of any whole numbers, from 0 on


def assign_folds(places: Places, labels: Labels, folds: int, resolution: Zyx) -> NDArray[np.int64]:
    """By sample the fold in which it is held back; blocks are as large as the classes allow.

    ValueError names the class whose samples lie in one place.
    """
    classes = np.unique(labels)
    side = LARGEST
    while True:
        z, y, x = (max(1, round(side / length)) for length in sides(resolution))
        _, block = np.unique(places // (x, y, z), axis=0, return_inverse=True)
        block = block.reshape(-1)
        spread = {int(one): len(np.unique(block[labels == one])) for one in classes}
        if min(spread.values()) >= folds or side <= SMALLEST:
            break
        side //= 2
    lonely = [one for one, blocks in spread.items() if blocks < 2]
    if lonely:
        raise LonelyClass(lonely[0])
    return _spread(block, labels, min(folds, *spread.values()))[block]


class LonelyClass(ValueError):
    """All samples of a class lie in one place, so that none can be held back while others are learnt."""

    def __init__(self, number: int) -> None:
        super().__init__(f"all samples of class {number} lie in one place")
        self.number = number


def _spread(block: NDArray[np.int64], labels: Labels, folds: int) -> NDArray[np.int64]:
    """By block its fold: those with most samples first, each where it brings the classes nearest to equal shares."""
    blocks, classes = int(block.max()) + 1, int(labels.max()) + 1
    counts = np.zeros((blocks, classes))
    np.add.at(counts, (block, labels), 1)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    filled = np.zeros((folds, classes))
    fold = np.zeros(blocks, np.int64)
    for one in np.argsort(-shares.max(axis=1), kind="stable"):
        cost = ((filled + shares[one]) ** 2 - filled**2).sum(axis=1)
        fold[one] = int(cost.argmin())
        filled[fold[one]] += shares[one]
    return fold
