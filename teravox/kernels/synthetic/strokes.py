"""Labels as a person would paint them on a slice whose truth is known: short strokes, of each class in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[Any]  # y and x, classes from 0
Painted = NDArray[np.uint8]  # y and x: the class, counted from 1; 0 where nothing is painted

STEPS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))  # in the order of their directions
BENDS = 0.3  # how often a stroke turns aside
TRIES = 8  # for each voxel, before a stroke ends short


def paint_strokes(truth: Truth, strokes: int, length: int, rng: np.random.Generator) -> Painted:
    """So many strokes of at most so many voxels, none of which leaves its class."""
    painted = np.zeros(truth.shape, np.uint8)
    classes = np.unique(truth)
    places = [np.argwhere(truth == one) for one in classes]
    for stroke in range(strokes):
        which = stroke % len(classes)
        start = places[which][rng.integers(len(places[which]))]
        for y, x in _walk(truth, int(start[0]), int(start[1]), length, rng):
            painted[y, x] = classes[which] + 1
    return painted


def _walk(truth: Truth, y: int, x: int, length: int, rng: np.random.Generator) -> set[tuple[int, int]]:
    """The voxels that a stroke from a place covers."""
    covered, own = {(y, x)}, truth[y, x]
    way = int(rng.integers(8))
    for _ in range(TRIES * length):
        if len(covered) == length:
            break
        if rng.random() < BENDS:
            way = (way + (1 if rng.random() < 0.5 else -1)) % 8
        down, right = y + STEPS[way][0], x + STEPS[way][1]
        if 0 <= down < truth.shape[0] and 0 <= right < truth.shape[1] and truth[down, right] == own:
            y, x = down, right
            covered.add((y, x))
        else:
            way = int(rng.integers(8))
    return covered
