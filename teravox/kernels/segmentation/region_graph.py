"""Which supervoxels touch, on how many faces of voxels, and how much boundary there is between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.checks import Labels, Prediction, affinities_of, boundary_of
from teravox.kernels.segmentation.pair_table import key_of, place_of

ONE = 65535  # boundary of 1.0; it is counted in whole numbers, of which sums are the same in any order


class RegionGraph(NamedTuple):
    """Pairs of supervoxels that share faces of voxels, in the order of their labels."""

    labels: NDArray[np.uint32]  # of the supervoxels, ascending: their numbers are places in this array
    sizes: NDArray[np.int64]  # by supervoxel: its voxels
    low: NDArray[np.int32]  # by pair: the number of the first supervoxel, ...
    high: NDArray[np.int32]  # ... and of the second one, which is larger
    boundary: NDArray[np.int64]  # by pair: the sum over its faces, of both voxels of each, of ONEs
    faces: NDArray[np.int64]  # by pair


def boundary_maps(prediction: Prediction, boundary_channel: int, affinities: bool) -> Prediction:
    """What is counted on faces, by axis: 1 - the affinity across, or one channel for all axes."""
    if not affinities:
        return boundary_of(prediction, boundary_channel)[np.newaxis]
    return np.subtract(np.float32(1), affinities_of(prediction), order="C")


def region_graph(supervoxels: Labels, maps: Prediction) -> RegionGraph:
    """The graph of the supervoxels; 0 touches nothing.

    Of one map, both voxels of a face count. Of three, by axis, the higher one counts twice.
    """
    highest = int(supervoxels.max(initial=0))
    if highest > 4 * supervoxels.size + 1024:  # a few large labels
        values, places = np.unique(supervoxels, return_inverse=True)
        first = np.uint32(values[0] != 0)
        graph = region_graph(places.reshape(supervoxels.shape).astype(np.uint32) + first, maps)
        return graph._replace(labels=values[graph.labels - first])
    sizes = np.zeros(highest + 1, np.int64)
    _count(read_only(supervoxels.reshape(-1)), sizes)
    sizes[0] = 0
    labels = np.flatnonzero(sizes)
    keys, sums, faces = _touch(read_only(supervoxels), read_only(maps))
    order = np.flatnonzero(keys)
    order = order[np.argsort(keys[order])]
    keys = keys[order]
    numbers = np.zeros(highest + 1, np.int32)
    numbers[labels] = np.arange(len(labels), dtype=np.int32)
    low, high = numbers[keys >> np.uint64(32)], numbers[keys & np.uint64(0xFFFFFFFF)]
    return RegionGraph(labels.astype(np.uint32), sizes[labels], low, high, sums[order], faces[order])


def relabel(supervoxels: Labels, labels: NDArray[np.uint32], result: NDArray[np.uint32]) -> Labels:
    """The supervoxels with other labels: the one at each place of `labels` gets the one at this place of `result`."""
    highest = int(supervoxels.max(initial=0))
    if highest > 4 * supervoxels.size + 1024:
        found = result[np.minimum(np.searchsorted(labels, supervoxels), len(labels) - 1)]
        return np.where(supervoxels == 0, np.uint32(0), found)
    table = np.zeros(highest + 1, np.uint32)
    table[labels] = result
    relabelled = np.empty_like(supervoxels)
    _translate(read_only(supervoxels.reshape(-1)), table, relabelled.reshape(-1))
    return relabelled


@compiled
def _count(supervoxels: NDArray[np.uint32], sizes: NDArray[np.int64]) -> None:
    for label in supervoxels:
        sizes[label] += 1


@compiled
def _translate(supervoxels: NDArray[np.uint32], table: NDArray[np.uint32], relabelled: NDArray[np.uint32]) -> None:
    for at in range(len(supervoxels)):
        relabelled[at] = table[supervoxels[at]]


@compiled
def _touch(supervoxels: Labels, maps: Prediction) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """By pair of labels, the smaller one in the upper 32 bits: boundary and faces; keys of 0 are none."""
    planes, rows, columns = supervoxels.shape
    own = 1 if len(maps) == 3 else 0  # whether each axis has its own map
    keys, sums, faces = _table(columns)
    used = 0
    for z in range(planes):
        for y in range(rows):
            if 2 * (used + 3 * columns) > len(keys):
                wider = _table(4 * max(len(keys), columns))
                _move(keys, sums, faces, wider[0], wider[1], wider[2])
                keys, sums, faces = wider
            here, one = supervoxels[z, y], maps[0, z, y]
            far = maps[2 * own, z, y, 1:]
            used += _touch_rows(here[:-1], here[1:], far if own else one[:-1], far, keys, sums, faces)
            if y + 1 < rows:
                far = maps[own, z, y + 1]
                used += _touch_rows(here, supervoxels[z, y + 1], far if own else one, far, keys, sums, faces)
            if z + 1 < planes:
                far = maps[0, z + 1, y]
                used += _touch_rows(here, supervoxels[z + 1, y], far if own else one, far, keys, sums, faces)
    return keys, sums, faces


@compiled
def _table(size: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """An empty table of at least so many places, by a power of two."""
    places = 1
    while places < size:
        places *= 2
    return np.zeros(places, np.uint64), np.zeros(places, np.int64), np.zeros(places, np.int64)


@compiled
def _move(
    keys: NDArray[np.uint64],
    sums: NDArray[np.int64],
    faces: NDArray[np.int64],
    new_keys: NDArray[np.uint64],
    new_sums: NDArray[np.int64],
    new_faces: NDArray[np.int64],
) -> None:
    for one in range(len(keys)):
        if keys[one] != 0:
            at = place_of(new_keys, keys[one])
            new_keys[at] = keys[one]
            new_sums[at] = sums[one]
            new_faces[at] = faces[one]


@compiled
def _touch_rows(
    labels: NDArray[np.uint32],
    others: NDArray[np.uint32],
    boundary: NDArray[np.float32],
    boundaries: NDArray[np.float32],
    keys: NDArray[np.uint64],
    sums: NDArray[np.int64],
    faces: NDArray[np.int64],
) -> int:
    """Count the faces between the voxels of two rows; how many pairs are new."""
    new = 0
    last = np.uint64(0)
    at = 0
    for x in range(len(labels)):
        here, there = labels[x], others[x]
        if here == there or here == 0 or there == 0:  # noqa: PLR1714 - numba knows no `in` of mixed types
            continue
        key = key_of(here, there)
        if key != last:
            at = place_of(keys, key)
            last = key
            if keys[at] == 0:
                keys[at] = key
                new += 1
        sums[at] += np.int64(boundary[x] * np.float32(ONE) + np.float32(0.5))
        sums[at] += np.int64(boundaries[x] * np.float32(ONE) + np.float32(0.5))
        faces[at] += 1
    return new
