"""Otsu's thresholds: where a histogram is cut so that the classes differ most from each other.

N. Otsu, 1979 (doi.org/10.1109/TSMC.1979.4310076); for several classes P.-S. Liao and others, 2001.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

MOST_CLASSES = 9


def find_thresholds(counts: NDArray[np.uint64], classes: int = 2) -> list[int]:
    """The last value of each class but the brightest, ascending; of equally good cuts the darkest.

    ValueError where fewer values than classes occur.
    """
    if not 2 <= classes <= MOST_CLASSES:
        raise ValueError(f"there can be 2 to {MOST_CLASSES} classes, not {classes}")
    (occurring,) = np.nonzero(counts)
    if len(occurring) < classes:
        raise ValueError(f"{len(occurring)} grey values occur, which cannot be cut into {classes} classes")
    weights = np.concatenate([[0.0], np.cumsum(counts[occurring], dtype=np.float64)])
    sums = np.concatenate([[0.0], np.cumsum(counts[occurring] * occurring.astype(np.float64))])
    cuts = _cut(weights, sums, classes)
    return [int(occurring[cut - 1]) for cut in cuts]


def _cut(weights: NDArray[np.float64], sums: NDArray[np.float64], classes: int) -> list[int]:
    """How many of the values that occur lie below each cut.

    The best place of the last cut moves up with the number of values that are cut, so places need be looked for only
    between those of neighbours.
    """
    size = len(weights) - 1
    best = np.zeros(size + 1)
    best[1:] = sums[1:] ** 2 / weights[1:]
    places = np.zeros((classes, size + 1), np.int64)
    for number in range(1, classes):
        found = np.zeros(size + 1)
        _extend(weights, sums, best, number, found, places[number])
        best = found
    cuts = [size]
    for number in range(classes - 1, 0, -1):
        cuts.append(int(places[number, cuts[-1]]))
    return cuts[:0:-1]


@compiled
def _extend(
    weights: NDArray[np.float64],
    sums: NDArray[np.float64],
    best: NDArray[np.float64],
    cuts: int,
    found: NDArray[np.float64],
    places: NDArray[np.int64],
) -> None:
    """Cut once more: for the first so many values how good the best cuts are, and where the last of them is."""
    size = len(weights) - 1
    spans = np.empty((128, 4), np.int64)  # first and last number of values, first and last place of their cut
    spans[0] = np.array([cuts + 1, size, cuts, size - 1])
    waiting = 1
    while waiting:
        waiting -= 1
        first, last, low, high = spans[waiting]
        if first > last:
            continue
        middle = (first + last) // 2
        most, place = -1.0, low
        for cut in range(low, min(high, middle - 1) + 1):
            apart = sums[middle] - sums[cut]
            good = best[cut] + apart * apart / (weights[middle] - weights[cut])
            if good > most:
                most, place = good, cut
        found[middle], places[middle] = most, place
        spans[waiting] = np.array([first, middle - 1, low, place])
        spans[waiting + 1] = np.array([middle + 1, last, place, high])
        waiting += 2
