"""Joins supervoxels: those with the weakest boundary first, or the smallest ones first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.contraction import Contraction, Numbers, contraction_of, first_labels, join
from teravox.kernels.segmentation.region_graph import ONE, RegionGraph

Names = NDArray[np.uint32]


def join_weakest(graph: RegionGraph, threshold: float) -> Names:
    """Join the pair with the lowest mean boundary, again and again, while that is below the threshold.

    Between two groups it is the mean over all faces that they share. Of equal ones, the first pair in the order of the
    labels is joined first. By supervoxel: the smallest label of its group.
    """
    contraction = contraction_of(graph)
    _join_weakest(contraction, threshold * 2 * ONE)
    return first_labels(contraction, graph.labels)


def join_small(graph: RegionGraph, min_size: int) -> Names:
    """Join the smallest group with the neighbour that has the lowest mean boundary to it, while it is below a size.

    Of equal ones the first in the order of the labels comes first. What has no neighbours remains. By supervoxel: the
    smallest label of its group.
    """
    contraction = contraction_of(graph)
    _join_small(contraction, read_only(graph.sizes), min_size)
    return first_labels(contraction, graph.labels)


@compiled
def _join_weakest(graph: Contraction, limit: float) -> None:
    pairs = len(graph.faces)
    means = np.empty(pairs, np.float64)
    heap = np.empty(pairs, np.int32)  # the pairs, the one to join first on top
    places = np.empty(pairs, np.int32)  # of each pair in the heap
    for pair in range(pairs):
        means[pair] = graph.boundary[pair] / graph.faces[pair]
        heap[pair] = pair
        places[pair] = pair
    size = pairs
    for at in range(size // 2 - 1, -1, -1):
        _sink(heap, places, means, size, at)
    touched = np.empty(2 * pairs + 1, np.int32)
    while size > 0 and means[heap[0]] < limit:
        top = heap[0]
        _, number = join(graph, int(graph.node[2 * top]), int(graph.node[2 * top + 1]), touched)
        for one in range(number):
            pair = touched[one]
            at = places[pair]
            if at == -1:
                continue
            if graph.faces[pair] != 0:
                means[pair] = graph.boundary[pair] / graph.faces[pair]
                _sink(heap, places, means, size, _rise(heap, places, means, at))
                continue
            size = _leave(heap, places, means, size, pair)


@compiled
def _is_before(one: int, other: int, values: NDArray[np.float64]) -> bool:
    return bool(values[one] < values[other] or (values[one] == values[other] and one < other))


@compiled
def _rise(heap: Numbers, places: Numbers, values: NDArray[np.float64], at: int) -> int:
    item = heap[at]
    while at > 0:
        above = (at - 1) >> 1
        if not _is_before(item, heap[above], values):
            break
        heap[at] = heap[above]
        places[heap[at]] = at
        at = above
    heap[at] = item
    places[item] = at
    return at


@compiled
def _sink(heap: Numbers, places: Numbers, values: NDArray[np.float64], size: int, at: int) -> None:
    item = heap[at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and _is_before(heap[below + 1], heap[below], values):
            below += 1
        if not _is_before(heap[below], item, values):
            break
        heap[at] = heap[below]
        places[heap[at]] = at
        at = below
    heap[at] = item
    places[item] = at


@compiled
def _join_small(graph: Contraction, sizes: NDArray[np.int64], min_size: int) -> None:
    groups = len(sizes)  # each has the number of its first member
    voxels = sizes.astype(np.float64)
    heap = np.arange(groups).astype(np.int32)  # the groups, the smallest one on top
    places = heap.copy()
    node_of, group_of = heap.copy(), heap.copy()
    touched = np.empty(2 * len(graph.faces) + 1, np.int32)
    size = groups
    for at in range(size // 2 - 1, -1, -1):
        _sink(heap, places, voxels, size, at)
    while size > 0 and voxels[heap[0]] < min_size:
        one = heap[0]
        beside = _weakest(graph, node_of[one])
        if beside == -1:
            size = _leave(heap, places, voxels, size, one)
            continue
        other = group_of[beside]
        remains, ends = min(one, other), max(one, other)
        kept, _ = join(graph, int(node_of[one]), beside, touched)
        node_of[remains] = kept
        group_of[kept] = remains
        size = _leave(
            heap, places, voxels, size, ends
        )  # before the other's size, by which the heap is ordered, changes
        voxels[remains] += voxels[ends]
        _sink(heap, places, voxels, size, _rise(heap, places, voxels, places[remains]))


@compiled
def _weakest(graph: Contraction, node: int) -> int:
    """The neighbour of a node with the lowest mean boundary to it, or -1."""
    found, lowest, first = -1, np.inf, 0
    end = graph.first[node]
    while end != -1:
        pair = end >> 1
        if graph.faces[pair] != 0:
            mean = graph.boundary[pair] / graph.faces[pair]
            if mean < lowest or (mean == lowest and pair < first):
                found, lowest, first = int(graph.node[end ^ 1]), mean, pair
        end = graph.following[end]
    return found


@compiled
def _leave(heap: Numbers, places: Numbers, values: NDArray[np.float64], size: int, item: int) -> int:
    """Take an item out of the heap; its new size."""
    at = places[item]
    places[item] = -1
    if at < size - 1:
        heap[at] = heap[size - 1]
        places[heap[at]] = at
        _sink(heap, places, values, size - 1, _rise(heap, places, values, at))
    return size - 1
