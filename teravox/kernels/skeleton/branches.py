"""Cuts a skeleton into branches: the paths between its terminals and branch points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import Scratch, doubles, flags, keys_for, longs, pairs
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
def find_branches(edges: Edges, vertices: int, scratch: Scratch) -> Branches:
    """The branches of a skeleton in the order of their first vertices; a ring without branch points begins at its lowest."""
    degrees = longs(scratch, vertices)
    degrees[:] = 0
    for e in range(len(edges)):
        degrees[edges[e, 0]] += 1
        degrees[edges[e, 1]] += 1
    begin, ends = longs(scratch, vertices + 1), longs(scratch, vertices)
    begin[0] = 0
    for v in range(vertices):
        ends[v] = begin[v]
        begin[v + 1] = begin[v] + degrees[v]
    near = longs(scratch, 2 * len(edges))  # by vertex: the other ends of its edges, ...
    by = longs(scratch, 2 * len(edges))  # ... and these edges
    for e in range(len(edges)):
        a, b = np.int64(edges[e, 0]), np.int64(edges[e, 1])
        near[ends[a]], by[ends[a]] = b, e
        near[ends[b]], by[ends[b]] = a, e
        ends[a] += 1
        ends[b] += 1
    walked = flags(scratch, len(edges), False)
    path = longs(scratch, 2 * len(edges))  # no branch has more vertices than twice its edges
    starts = longs(scratch, len(edges) + 1)
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
def lengths_along(points: Points, branches: Branches, scratch: Scratch) -> NDArray[np.float64]:
    """How long each branch is, in nanometres."""
    lengths = doubles(scratch, len(branches.starts) - 1)
    for b in range(len(lengths)):
        lengths[b] = 0
        for at in range(branches.starts[b], branches.starts[b + 1] - 1):
            lengths[b] += np.sqrt(square_of(points, branches.path[at], branches.path[at + 1]))
    return lengths


@compiled
def edges_along(branches: Branches, kept: NDArray[np.bool_], scratch: Scratch) -> Edges:
    """The edges that a flag for each place of the paths keeps: of a place it says whether one goes on to the next place."""
    edges = longs(scratch, 2 * len(branches.path)).reshape(-1, 2)
    count = 0
    for b in range(len(branches.starts) - 1):
        for at in range(branches.starts[b], branches.starts[b + 1] - 1):
            if kept[at]:
                edges[count, 0], edges[count, 1] = branches.path[at], branches.path[at + 1]
                count += 1
    return in_order(edges[:count], scratch)


@compiled
def in_order(edges: NDArray[np.int64], scratch: Scratch) -> Edges:
    """Edges from their lower vertices, in order."""
    keys = keys_for(scratch, len(edges))
    for e in range(len(edges)):
        low, high = min(edges[e, 0], edges[e, 1]), max(edges[e, 0], edges[e, 1])
        keys[e] = np.uint64(low) << np.uint64(32) | np.uint64(high)
    keys.sort()
    ordered = pairs(scratch, len(edges))
    for e in range(len(edges)):
        ordered[e, 0], ordered[e, 1] = np.uint32(keys[e] >> np.uint64(32)), np.uint32(keys[e])
    return ordered
