"""Clusters of voxels that are near and alike, all of about the same size: SLIC (https://doi.org/10.1109/TPAMI.2012.120).

Centres begin on a regular lattice. In each round a voxel goes to the centre that is nearest in place and value together,
and each centre moves to the middle of its voxels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.connected_clusters import connect
from teravox.kernels.segmentation.scale import Zyx

Values = NDArray[np.float32]  # channel, z, y and x
Clusters = NDArray[np.uint32]  # z, y and x, numbered from 1
Centres = NDArray[np.float64]  # by cluster: z, y, x in voxels, then the mean of each channel

SMALLEST = 0.25  # of the size: smaller pieces are given to their neighbours


def find_clusters(values: Values, sides: Zyx, *, size: int, compactness: float, iterations: int) -> Clusters:
    """Connected clusters of about `size` voxels.

    A difference of `compactness` in value counts as much as the distance between two centres. `sides` are those of a
    voxel, whose shortest is 1.
    """
    step = _step(values.shape, sides, size)
    given = read_only(np.ascontiguousarray(values))
    found, centres = _lay_out(given, sides, step)
    reaches = np.array([math.ceil(step / side) for side in sides], np.int64)
    weights = np.array([(side / step) ** 2 for side in sides], np.float32)
    likeness = np.float32(1 / compactness**2)
    _assign(given, centres, reaches, weights, likeness, iterations, found)
    return connect(found, given, max(1, round(SMALLEST * size)))


def _step(shape: tuple[int, ...], sides: Zyx, size: int) -> float:
    """The distance between centres, in the finest voxels; an axis that is shorter than it holds one centre."""
    lengths = sorted(n * side for n, side in zip(shape[1:], sides, strict=True))
    left = size * math.prod(sides)
    for axes in (3, 2, 1):
        step = float(left ** (1 / axes))
        if lengths[3 - axes] >= step or axes == 1:
            return step
        left /= lengths[3 - axes]
    raise AssertionError("an axis is left")


def _lay_out(values: Values, sides: Zyx, step: float) -> tuple[Clusters, Centres]:
    """Clusters that are the cells of a lattice, and their centres, each with the value of its voxel."""
    shape = values.shape[1:]
    numbers = [max(1, round(n * side / step)) for n, side in zip(shape, sides, strict=True)]
    cells = [np.arange(n) * number // n for n, number in zip(shape, numbers, strict=True)]
    found: Clusters = np.asarray(np.ravel_multi_index(np.ix_(*cells), numbers) + 1, np.uint32)
    places = [(np.arange(number) + 0.5) * n / number - 0.5 for n, number in zip(shape, numbers, strict=True)]
    at = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 3)
    z, y, x = np.rint(at).astype(np.int64).T
    return found, np.concatenate([at, values[:, z, y, x].T.astype(np.float64)], axis=1)


@compiled
def _assign(
    values: Values,
    centres: Centres,
    reaches: NDArray[np.int64],
    weights: NDArray[np.float32],
    likeness: np.float32,
    iterations: int,
    found: Clusters,
) -> None:
    """Do the rounds. A voxel that no centre looks for, since all have moved away, stays where it was."""
    channels, planes, rows, columns = values.shape
    clusters = len(centres)
    nearest = np.empty((planes, rows, columns), np.float32)
    distances = np.empty(columns, np.float32)
    sums = np.empty((clusters, 3 + channels), np.float64)
    numbers = np.empty(clusters, np.int64)
    for _ in range(iterations):
        nearest[:] = np.inf
        for cluster in range(clusters):
            z, y, x = centres[cluster, 0], centres[cluster, 1], centres[cluster, 2]
            first, last = _reached(x, reaches[2], columns)
            width = last - first
            for plane in range(*_reached(z, reaches[0], planes)):
                dz = np.float32(plane - z)
                for row in range(*_reached(y, reaches[1], rows)):
                    dy = np.float32(row - y)
                    away = dz * dz * weights[0] + dy * dy * weights[1]
                    start = np.float32(first - x)
                    for at in range(width):
                        dx = start + np.float32(at)
                        distances[at] = away + dx * dx * weights[2]
                    for channel in range(channels):
                        line = values[channel, plane, row, first : first + width]
                        middle = np.float32(centres[cluster, 3 + channel])
                        for at in range(width):
                            differs = line[at] - middle
                            distances[at] += differs * differs * likeness
                    best = nearest[plane, row, first : first + width]
                    into = found[plane, row, first : first + width]
                    name = np.uint32(cluster + 1)
                    for at in range(width):
                        closer = distances[at] < best[at]
                        into[at] = name if closer else into[at]
                        best[at] = distances[at] if closer else best[at]
        _move(values, found, sums, numbers, centres)


@compiled
def _reached(middle: float, reach: int, size: int) -> tuple[int, int]:
    """The voxels along an axis that a centre looks at."""
    return max(0, math.ceil(middle - reach)), min(size, math.floor(middle + reach) + 1)


@compiled
def _move(values: Values, found: Clusters, sums: Centres, numbers: NDArray[np.int64], centres: Centres) -> None:
    """Put each centre into the middle of its voxels; one without any stays."""
    channels, planes, rows, columns = values.shape
    sums[:] = 0
    numbers[:] = 0
    for plane in range(planes):
        for row in range(rows):
            for column in range(columns):
                cluster = found[plane, row, column] - 1
                own = sums[cluster]
                numbers[cluster] += 1
                own[0] += plane
                own[1] += row
                own[2] += column
                for channel in range(channels):
                    own[3 + channel] += values[channel, plane, row, column]
    for cluster in range(len(centres)):
        if numbers[cluster] > 0:
            for at in range(3 + channels):
                centres[cluster, at] = sums[cluster, at] / numbers[cluster]
