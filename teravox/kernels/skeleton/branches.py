"""Cuts a skeleton into branches: the paths between its terminals and branch points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.components import Points, square_of
from teravox.kernels.skeleton.skeleton import Edges


class Branches(NamedTuple):
    """Branch b is the path of the vertices path[starts[b]:starts[b + 1]], both ends included.

    A branch whose ends are one vertex is a loop. Vertices without edges are in no branch.
    """

    starts: NDArray[np.int64]
    path: NDArray[np.int64]
    degrees: NDArray[np.int64]  # by vertex: how many edges it has


@compiled
def find_branches(edges: Edges, vertices: int) -> Branches:
    """The branches of a skeleton in the order of their first vertices; a ring without branch points begins at its lowest."""
    degrees = np.zeros(vertices, np.int64)
    for e in range(len(edges)):
        degrees[edges[e, 0]] += 1
        degrees[edges[e, 1]] += 1
    begin = np.zeros(vertices + 1, np.int64)
    for v in range(vertices):
        begin[v + 1] = begin[v] + degrees[v]
    ends = begin[:-1].copy()
    near = np.empty(2 * len(edges), np.int64)  # by vertex: the other ends of its edges, ...
    by = np.empty(2 * len(edges), np.int64)  # ... and these edges
    for e in range(len(edges)):
        a, b = np.int64(edges[e, 0]), np.int64(edges[e, 1])
        near[ends[a]], by[ends[a]] = b, e
        near[ends[b]], by[ends[b]] = a, e
        ends[a] += 1
        ends[b] += 1
    walked = np.zeros(len(edges), np.bool_)
    path = np.empty(2 * len(edges), np.int64)  # no branch has more vertices than twice its edges
    starts = np.empty(len(edges) + 1, np.int64)
    count = at = 0
    starts[0] = 0
    for rings in range(2):  # first what begins at terminals and branch points, then what is left
        for first in range(vertices):
            if rings == 0 and degrees[first] == 2:
                continue
            for way in range(begin[first], begin[first + 1]):
                if walked[by[way]]:
                    continue
                path[at] = first
                at += 1
                step = way
                while True:
                    walked[by[step]] = True
                    vertex = near[step]
                    path[at] = vertex
                    at += 1
                    if degrees[vertex] != 2 or vertex == first:
                        break
                    step = begin[vertex] if by[begin[vertex]] != by[step] else begin[vertex] + 1
                count += 1
                starts[count] = at
    return Branches(starts[: count + 1], path[:at], degrees)


@compiled
def lengths_along(points: Points, branches: Branches) -> NDArray[np.float64]:
    """How long each branch is, in nanometres."""
    lengths = np.zeros(len(branches.starts) - 1)
    for b in range(len(lengths)):
        for at in range(branches.starts[b], branches.starts[b + 1] - 1):
            lengths[b] += np.sqrt(square_of(points, branches.path[at], branches.path[at + 1]))
    return lengths


@compiled
def edges_along(branches: Branches, kept: NDArray[np.bool_]) -> Edges:
    """The edges that a flag for each place of the paths keeps: of a place it says whether one goes on to the next place."""
    edges = np.empty((len(branches.path), 2), np.int64)
    count = 0
    for b in range(len(branches.starts) - 1):
        for at in range(branches.starts[b], branches.starts[b + 1] - 1):
            if kept[at]:
                edges[count, 0], edges[count, 1] = branches.path[at], branches.path[at + 1]
                count += 1
    return in_order(edges[:count])


@compiled
def in_order(edges: NDArray[np.int64]) -> Edges:
    """Edges from their lower vertices, in order."""
    pairs = np.empty(len(edges), np.uint64)
    for e in range(len(edges)):
        low, high = min(edges[e, 0], edges[e, 1]), max(edges[e, 0], edges[e, 1])
        pairs[e] = np.uint64(low) << np.uint64(32) | np.uint64(high)
    pairs.sort()
    ordered = np.empty((len(edges), 2), np.uint32)
    for e in range(len(edges)):
        ordered[e, 0], ordered[e, 1] = np.uint32(pairs[e] >> np.uint64(32)), np.uint32(pairs[e])
    return ordered
