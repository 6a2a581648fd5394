"""Puts a skeleton in the order of trees, each from its root on, as formats have it in which a vertex names its parent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.components import number_components
from teravox.kernels.skeleton.distinct import distinct_edges
from teravox.kernels.skeleton.skeleton import Edges

Indices = NDArray[np.int64]


class Rooted(NamedTuple):
    """Trees that follow each other, each by its root and with its branches one after another."""

    order: Indices  # of the vertices
    parents: Indices  # of each of them in that order, the place of the one before it; -1 at a root
    opened: int  # how many edges were left out because they closed loops


def root_trees(vertices: int, edges: Edges, weight: NDArray[np.float64]) -> Rooted:
    """The trees of a skeleton. The vertex of the largest weight of a component, and of those the first, is its root."""
    pairs = distinct_edges(edges).astype(np.int64)
    component, count = number_components(edges, vertices)
    by_weight = np.lexsort((np.arange(vertices), -weight, component))
    roots = by_weight[np.searchsorted(component[by_weight], np.arange(count))]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    starts = np.searchsorted(both[:, 0], np.arange(vertices + 1))
    order, parents = _walk(roots, starts, np.ascontiguousarray(both[:, 1]))
    return Rooted(order, parents, len(pairs) - (vertices - count))


@compiled
def _walk(roots: Indices, starts: Indices, near: Indices) -> tuple[Indices, Indices]:
    vertices = len(starts) - 1
    before = np.full(vertices, -1)  # the vertex from which another was reached first
    is_seen = np.zeros(vertices, np.bool_)
    queue = np.empty(vertices, np.int64)
    first = last = 0
    for root in roots:
        is_seen[root] = True
        queue[last] = root
        last += 1
    while first < last:  # by levels, so that a loop is opened where it is far from the root
        vertex = queue[first]
        first += 1
        for at in range(starts[vertex], starts[vertex + 1]):
            if not is_seen[near[at]]:
                is_seen[near[at]] = True
                before[near[at]] = vertex
                queue[last] = near[at]
                last += 1
    order = np.empty(vertices, np.int64)
    parents = np.empty(vertices, np.int64)
    place = np.empty(vertices, np.int64)
    done = 0
    for root in roots:
        queue[0] = root
        waiting = 1
        while waiting:
            waiting -= 1
            vertex = queue[waiting]
            order[done] = vertex
            parents[done] = place[before[vertex]] if before[vertex] >= 0 else -1
            place[vertex] = done
            done += 1
            for at in range(starts[vertex + 1] - 1, starts[vertex] - 1, -1):
                if before[near[at]] == vertex:
                    queue[waiting] = near[at]
                    waiting += 1
    return order, parents
