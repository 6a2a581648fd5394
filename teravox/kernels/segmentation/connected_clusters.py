"""Makes clusters connected: pieces of a cluster become clusters of their own, and small ones join the most alike neighbour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Values = NDArray[np.float32]  # channel, and voxel
Clusters = NDArray[np.uint32]  # z, y and x, numbered from 1
Flat = NDArray[np.uint32]  # by voxel
Places = NDArray[np.int64]  # of voxels, x fastest
Means = NDArray[np.float64]  # of a piece, by channel


def connect(clusters: Clusters, values: NDArray[np.float32], least: int) -> Clusters:
    """Clusters, numbered from 1, whose voxels hang together by their faces.

    Pieces of fewer than `least` voxels go to the neighbour whose mean is most like theirs, those at the borders of large
    pieces first. Where there is no large piece, small ones stay.
    """
    labels = np.zeros(clusters.shape, np.uint32)
    flat = values.reshape(len(values), -1)
    queue = np.empty(clusters.size, np.int64)
    number, left = _number(clusters.reshape(-1), clusters.shape, least, queue, labels.reshape(-1))
    if left:
        if number == 0:
            _number(clusters.reshape(-1), clusters.shape, 0, queue, labels.reshape(-1))
            return labels
        means = _means(labels.reshape(-1), flat, number)
        while left:
            left = _join(clusters.reshape(-1), clusters.shape, flat, means, queue, labels.reshape(-1))
    return labels


@compiled
def _number(clusters: Flat, shape: tuple[int, int, int], least: int, queue: Places, labels: Flat) -> tuple[int, int]:
    """Number the pieces that are large enough, in the order of their first voxels; how many there are, and voxels left."""
    number, left = 0, 0
    taken = np.zeros(len(clusters), np.bool_)
    for start in range(len(clusters)):
        if not taken[start]:
            size = _flood(clusters, shape, start, queue, taken)
            if size < least:
                left += size
                continue
            number += 1
            for at in range(size):
                labels[queue[at]] = number
    return number, left


@compiled
def _join(
    clusters: Flat, shape: tuple[int, int, int], values: Values, means: Means, queue: Places, labels: Flat
) -> int:
    """Give the pieces without a label that touch one the label most like them; the voxels that are left without one."""
    left = 0
    taken = labels != 0
    before = labels.copy()  # so that a piece joins what was there, and not what joined in this round
    mean = np.empty(len(values), np.float64)
    for start in range(len(clusters)):
        if taken[start]:
            continue
        size = _flood(clusters, shape, start, queue, taken)
        for channel in range(len(values)):
            total = 0.0
            for at in range(size):
                total += values[channel, queue[at]]
            mean[channel] = total / size
        best, nearest = np.uint32(0), np.inf
        for at in range(size):
            for side in range(6):
                beside = _beside(queue[at], side, shape)
                label = before[beside] if beside >= 0 else np.uint32(0)
                if label == 0:
                    continue
                if label == best:
                    continue
                apart = 0.0
                for channel in range(len(values)):
                    apart += abs(means[label - 1, channel] - mean[channel])
                if best == 0 or apart < nearest or (apart == nearest and label < best):
                    best, nearest = label, apart
        if best == 0:
            left += size
        else:
            for at in range(size):
                labels[queue[at]] = best
    return left


@compiled
def _flood(clusters: Flat, shape: tuple[int, int, int], start: int, queue: Places, taken: NDArray[np.bool_]) -> int:
    """Put the piece of a voxel that is not yet taken into the queue, and say how many voxels it has."""
    cluster = clusters[start]
    queue[0] = start
    taken[start] = True
    size, at = 1, 0
    while at < size:
        for side in range(6):
            beside = _beside(queue[at], side, shape)
            if beside >= 0 and not taken[beside] and clusters[beside] == cluster:
                taken[beside] = True
                queue[size] = beside
                size += 1
        at += 1
    return size


@compiled
def _beside(voxel: int, side: int, shape: tuple[int, int, int]) -> int:
    """The voxel at one of the six sides, or -1 beyond the ends."""
    _, rows, columns = shape
    rest, x = divmod(voxel, columns)
    z, y = divmod(rest, rows)
    if side == 0:
        return voxel - 1 if x > 0 else -1
    if side == 1:
        return voxel + 1 if x + 1 < columns else -1
    if side == 2:
        return voxel - columns if y > 0 else -1
    if side == 3:
        return voxel + columns if y + 1 < rows else -1
    if side == 4:
        return voxel - rows * columns if z > 0 else -1
    return voxel + rows * columns if z + 1 < shape[0] else -1


@compiled
def _means(labels: Flat, values: Values, number: int) -> Means:
    means = np.zeros((number, len(values)), np.float64)
    sizes = np.zeros(number, np.int64)
    for at in range(len(labels)):
        if labels[at] != 0:
            sizes[labels[at] - 1] += 1
            for channel in range(len(values)):
                means[labels[at] - 1, channel] += values[channel, at]
    for label in range(number):
        for channel in range(len(values)):
            means[label, channel] /= sizes[label]
    return means
