"""What features are like within each supervoxel: their mean, and how much they vary."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.clusters import Clusters

Features = NDArray[np.float32]  # feature, z, y and x
Pooled = NDArray[np.float32]  # pooled feature, and supervoxel
Sums = NDArray[np.float64]

STATISTICS = ("mean", "sd")


def pooled_names(names: Iterable[str]) -> tuple[str, ...]:
    """What the pooled features of these features are called, in their order."""
    return tuple(f"{name}, {statistic}" for name in names for statistic in STATISTICS)


def pool(labels: Clusters, number: int, features: int, parts: Iterable[tuple[tuple[slice, ...], Features]]) -> Pooled:
    """The pooled features of supervoxels 1 to `number`, from the features of all of their voxels, part by part.

    A supervoxel gets the same, to the last bit, whichever others there are, and also where it lies in several parts, if
    these follow one another along z.
    """
    sums = np.zeros((features, number + 1, 2), np.float64)
    sizes = np.bincount(labels.reshape(-1), minlength=number + 1).astype(np.float64)
    for part, values in parts:
        _add(read_only(labels[part]), read_only(values), sums)
    pooled = np.empty((features, len(STATISTICS), number), np.float32)
    for total, into in zip(sums, pooled, strict=True):
        mean = total[1:, 0] / sizes[1:]
        into[0] = mean
        into[1] = np.sqrt(np.maximum(total[1:, 1] / sizes[1:] - mean * mean, 0))
    return pooled.reshape(-1, number)


def bytes_of(features: int, supervoxels: float) -> float:
    """The memory that pooling takes for so many supervoxels, with what it returns."""
    return supervoxels * features * (2 * 8 + len(STATISTICS) * 4)


@compiled
def _add(labels: Clusters, values: Features, sums: Sums) -> None:
    features, planes, rows, columns = values.shape
    for feature in range(features):
        own = sums[feature]
        for plane in range(planes):
            for row in range(rows):
                line, into = values[feature, plane, row], labels[plane, row]
                for at in range(columns):
                    value = np.float64(line[at])
                    one = own[into[at]]
                    one[0] += value
                    one[1] += value * value
