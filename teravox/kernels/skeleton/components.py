"""The connected components of a skeleton, and how long they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import Scratch, doubles, flags, numbered
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.unions import unite

Points = NDArray[np.float64]  # (n, 3): where vertices are, in nanometres


@compiled
def cable_length(points: Points, edges: Edges) -> float:
    """How long all edges are together, in nanometres."""
    total = 0.0
    for e in range(len(edges)):
        total += np.sqrt(square_of(points, edges[e, 0], edges[e, 1]))
    return total


@compiled
def square_of(points: Points, a: int, b: int) -> float:
    """The square of the distance between two points."""
    x, y, z = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
    return float(x * x + y * y + z * z)


@compiled
def number_components(edges: Edges, vertices: int) -> tuple[NDArray[np.int64], int]:
    """The component of each vertex, numbered in the order of their lowest vertices, and how many there are."""
    return number_parts(edges, vertices, np.empty(0, np.int64))


@compiled
def number_parts(edges: Edges, vertices: int, scratch: Scratch) -> tuple[NDArray[np.int64], int]:
    """The same, in a scratch."""
    parents = numbered(scratch, vertices)
    for e in range(len(edges)):
        unite(parents, int(edges[e, 0]), int(edges[e, 1]))
    count = 0
    for v in range(vertices):
        if parents[v] == v:
            parents[v] = count
            count += 1
        else:  # a lower vertex stands for it, or leads there, and has its number by now
            parents[v] = parents[parents[v]]
    return parents, count


@compiled
def keep_long(points: Points, edges: Edges, least: float, scratch: Scratch) -> NDArray[np.bool_]:
    """Which vertices lie in components of at least so many nanometres of cable."""
    component, count = number_parts(edges, len(points), scratch)
    cable = doubles(scratch, count)
    cable[:] = 0
    for e in range(len(edges)):
        cable[component[edges[e, 0]]] += np.sqrt(square_of(points, edges[e, 0], edges[e, 1]))
    kept = flags(scratch, len(points), False)
    for v in range(len(points)):
        kept[v] = cable[component[v]] >= least
    return kept
