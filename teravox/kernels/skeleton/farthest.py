"""The voxels of a component from the farthest to the nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.lattice import Lengths, Places

Starts = NDArray[np.int64]
Best = NDArray[np.uint16]

EACH = 16  # voxels in a bucket, about


@compiled
def sort_by_distance(places: Places, distance: Lengths) -> tuple[Places, Lengths, Starts]:
    """The voxels in buckets, the farthest first, with their distances, and where each bucket begins."""
    furthest = np.float32(0)
    for place in places:
        furthest = max(furthest, distance[place])
    buckets = len(places) // EACH + 1
    inverse = np.float32(buckets / (furthest * 1.0001)) if furthest > 0 else np.float32(0)
    starts = np.zeros(buckets + 1, np.int64)
    for place in places:
        starts[buckets - int(distance[place] * inverse)] += 1
    for bucket in range(buckets):
        starts[bucket + 1] += starts[bucket]
    line = np.empty_like(places)
    lengths = np.empty(len(places), np.float32)
    for i in range(len(places) - 1, -1, -1):
        bucket = buckets - int(distance[places[i]] * inverse)
        starts[bucket] -= 1
        line[starts[bucket]] = places[i]
        lengths[starts[bucket]] = distance[places[i]]
    return line, lengths, starts[1:].copy()


@compiled
def find_farthest(line: Places, lengths: Lengths, starts: Starts, bucket: int, best: Best) -> tuple[int, int]:
    """The bucket, from this one on, and the voxel that is farthest of those not covered: the first of equals."""
    while True:
        place = -1
        furthest = np.float32(-1)
        end = starts[bucket + 1] if bucket + 1 < len(starts) else len(line)
        for i in range(starts[bucket], end):
            if best[line[i]] != 0 and lengths[i] > furthest:
                furthest = lengths[i]
                place = line[i]
        if place >= 0:
            return bucket, place
        bucket += 1
