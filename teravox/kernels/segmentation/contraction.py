"""A graph whose nodes are joined one by one: pairs that come to lie side by side become one.

Of two such pairs the first in the order of the graph remains, with the boundary and the faces of both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.segmentation.pair_table import key_of, place_of, take_out
from teravox.kernels.segmentation.region_graph import RegionGraph
from teravox.kernels.unions import find

Numbers = NDArray[np.int32]


class Contraction(NamedTuple):
    """The graph as it is after some joins; an end of a pair has the number 2 * pair, or one more."""

    node: Numbers  # by end: the node there
    following: Numbers  # by end: the next one of the same node, or -1
    first: Numbers  # by node: one of its ends, or -1
    degree: Numbers  # by node: its ends, also of pairs that are gone
    boundary: NDArray[np.int64]  # by pair
    faces: NDArray[np.int64]  # by pair, 0 where it is gone
    keys: NDArray[np.uint64]  # a table of the pairs by their nodes: 0 for an empty place, ...
    pairs: Numbers  # ... and the pair at this place
    group: Numbers  # by node: one that it has been joined to, or itself


def contraction_of(graph: RegionGraph) -> Contraction:
    """The graph before the first join."""
    nodes, pairs = len(graph.labels), len(graph.low)
    places = 1 << max(4, int(2 * pairs).bit_length())
    contraction = Contraction(
        np.stack([graph.low, graph.high], 1).reshape(-1).astype(np.int32),
        np.full(2 * pairs, -1, np.int32),
        np.full(nodes, -1, np.int32),
        np.zeros(nodes, np.int32),
        graph.boundary.copy(),
        graph.faces.copy(),
        np.zeros(places, np.uint64),
        np.zeros(places, np.int32),
        np.arange(nodes, dtype=np.int32),
    )
    _link(contraction)
    return contraction


def first_labels(contraction: Contraction, labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """By node: the smallest label of all that are joined with it; labels ascend."""
    return labels[_first_members(contraction.group)]


@compiled
def join(graph: Contraction, one: int, other: int, touched: Numbers) -> tuple[int, int]:
    """Join two nodes: the node that remains, and how many pairs were touched.

    Those come first in `touched`, which has room for all: each changed its boundary or is gone.
    """
    kept, gone = one, other
    if graph.degree[other] > graph.degree[one]:
        kept, gone = other, one
    graph.group[gone] = kept
    graph.degree[kept] += graph.degree[gone]
    number = 0
    end = graph.first[gone]
    while end != -1:
        following = graph.following[end]
        pair = end >> 1
        if graph.faces[pair] != 0:
            beside = int(graph.node[end ^ 1])
            take_out(graph.keys, graph.pairs, key_of(gone, beside))
            if beside == kept:
                graph.faces[pair] = 0
                touched[number] = pair
                number += 1
            else:
                graph.node[end] = kept
                graph.following[end] = graph.first[kept]
                graph.first[kept] = end
                key = key_of(kept, beside)
                at = place_of(graph.keys, key)
                if graph.keys[at] == 0:
                    graph.keys[at] = key
                    graph.pairs[at] = pair
                else:
                    parallel = graph.pairs[at]
                    remains, ends = min(pair, parallel), max(pair, parallel)
                    graph.boundary[remains] += graph.boundary[ends]
                    graph.faces[remains] += graph.faces[ends]
                    graph.faces[ends] = 0
                    graph.pairs[at] = remains
                    touched[number] = remains
                    touched[number + 1] = ends
                    number += 2
        end = following
    graph.first[gone] = -1
    return kept, number


@compiled
def _link(graph: Contraction) -> None:
    for end in range(len(graph.node) - 1, -1, -1):
        node = graph.node[end]
        graph.following[end] = graph.first[node]
        graph.first[node] = end
        graph.degree[node] += 1
    for pair in range(len(graph.faces)):
        key = key_of(graph.node[2 * pair], graph.node[2 * pair + 1])
        at = place_of(graph.keys, key)
        graph.keys[at] = key
        graph.pairs[at] = pair


@compiled
def _first_members(group: Numbers) -> Numbers:
    """By node: the first one of all that are joined with it."""
    first = np.full(len(group), len(group), np.int32)
    last = np.empty(len(group), np.int32)
    for node in range(len(group)):
        at = find(group, node)
        last[node] = at
        first[at] = min(first[at], node)
    for node in range(len(group)):
        last[node] = first[last[node]]
    return last
