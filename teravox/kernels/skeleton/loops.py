"""Opens loops: a skeleton becomes a forest, with the same connected components and terminals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.branches import edges_along, find_branches, lengths_along
from teravox.kernels.skeleton.components import Points, number_components
from teravox.kernels.skeleton.cover import Cover, Radius, make_cover, runs_beside
from teravox.kernels.skeleton.forest import Forest, Places, drop, list_members, make_forest
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.unions import unite


def open_loops(points: Points, edges: Edges, radius: Radius, piece: NDArray[np.int32], slack: float) -> Edges:
    """The edges of a spanning forest, which keeps the branches whose narrowest place is the widest.

    A branch that closes a loop goes as a whole where the same wire was traced twice, in two pieces: where it runs
    within what the others stand for. Any other is cut once, at its narrowest edge, as TEASAR leaves a ring.
    """
    _, components = number_components(edges, len(points))
    if len(edges) == len(points) - components:
        return edges
    branches = find_branches(edges, len(points))
    ends = branches.starts[1:] - 1
    weakest = np.minimum.reduceat(radius[branches.path], branches.starts[:-1])
    order = np.lexsort((lengths_along(points, branches), -weakest))
    closing = _closing(branches.path[branches.starts[:-1]], branches.path[ends], order, len(points))
    kept = np.ones(len(branches.path), np.bool_)
    _open(make_forest(branches), closing, make_cover(points, radius, piece, slack), kept)
    return edges_along(branches, kept)


@compiled
def _closing(
    firsts: NDArray[np.int64], lasts: NDArray[np.int64], order: NDArray[np.int64], vertices: int
) -> NDArray[np.int64]:
    """The branches that close a loop with those before them in order, the last one first."""
    parents = np.arange(vertices)
    found = np.empty(len(order), np.int64)
    count = len(order)
    for branch in order:
        if not unite(parents, firsts[branch], lasts[branch]):
            count -= 1
            found[count] = branch
    return found[count:]


@compiled
def _open(forest: Forest, closing: Places, cover: Cover, kept: NDArray[np.bool_]) -> None:
    """Say which places of paths do not go on."""
    members = np.empty(len(forest.path), np.int64)
    for branch in closing:
        first, last = forest.starts[branch], forest.starts[branch + 1] - 1
        is_all = forest.path[first] == forest.path[last] and forest.arms[forest.path[first]] == 2  # of its part
        count = list_members(forest, branch, members)
        if not is_all and runs_beside(cover, forest, branch, members, count):
            drop(forest, branch, members, count)
            kept[first:last] = False
        else:
            narrowest = first
            for at in range(first + 1, last):
                if _width(cover.radius, forest.path, at) < _width(cover.radius, forest.path, narrowest):
                    narrowest = at
            kept[narrowest] = False


@compiled
def _width(radius: Radius, path: Places, at: int) -> float:
    """How wide an edge is: as its narrower end, and by the other one where those are equal."""
    a, b = radius[path[at]], radius[path[at + 1]]
    return float(min(a, b) + 1e-6 * max(a, b))
