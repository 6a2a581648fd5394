"""Opens loops: a skeleton becomes a forest, with the same connected components and terminals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import IN_MEMORY, Scratch, doubles, flags, keys_of_floats, longs, numbered, stable_order
from teravox.kernels.skeleton.branches import Branches, edges_along, find_branches, lengths_along
from teravox.kernels.skeleton.components import Points, number_parts
from teravox.kernels.skeleton.cover import Cover, Radius, make_cover, runs_beside
from teravox.kernels.skeleton.forest import Forest, Places, drop, list_members, make_forest
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.unions import unite


def open_loops(
    points: Points,
    edges: Edges,
    radius: Radius,
    piece: NDArray[np.int32],
    slack: float,
    scratch: Scratch = IN_MEMORY,
) -> Edges:
    """The edges of a spanning forest, which keeps the branches whose narrowest place is the widest.

    A branch that closes a loop goes as a whole where the same wire was traced twice, in two pieces: where it runs
    within what the others stand for. Any other is cut once, at its narrowest edge, as TEASAR leaves a ring.
    """
    _, components = number_parts(edges, len(points), scratch)
    if len(edges) == len(points) - components:
        return edges
    branches = find_branches(edges, len(points), scratch)
    closing = _closing(branches, _order(branches, points, radius, scratch), scratch)
    kept = flags(scratch, len(branches.path), True)
    forest, cover = make_forest(branches, scratch), make_cover(points, radius, piece, slack, scratch)
    _open(forest, closing, cover, kept, scratch)
    return edges_along(branches, kept, scratch)


@compiled
def _order(branches: Branches, points: Points, radius: Radius, scratch: Scratch) -> Places:
    """The branches by their narrowest place, the widest first, and the shortest first of those that are equal in it."""
    starts, path = branches.starts, branches.path
    lengths = lengths_along(points, branches, scratch)
    by_length = stable_order(keys_of_floats(lengths, scratch), numbered(scratch, len(lengths)), scratch)
    wide = doubles(scratch, len(lengths))
    for b in range(len(wide)):
        wide[b] = -radius[path[starts[b]]]
        for at in range(starts[b] + 1, starts[b + 1]):
            wide[b] = max(wide[b], -radius[path[at]])
    return stable_order(keys_of_floats(wide, scratch), by_length, scratch)


@compiled
def _closing(branches: Branches, order: Places, scratch: Scratch) -> Places:
    """The branches that close a loop with those before them in order, the last one first."""
    starts, path = branches.starts, branches.path
    parents, found = numbered(scratch, len(branches.degrees)), longs(scratch, len(order))
    count = len(order)
    for branch in order:
        if not unite(parents, path[starts[branch]], path[starts[branch + 1] - 1]):
            count -= 1
            found[count] = branch
    return found[count:]


@compiled
def _open(forest: Forest, closing: Places, cover: Cover, kept: NDArray[np.bool_], scratch: Scratch) -> None:
    """Say which places of paths do not go on."""
    members = longs(scratch, len(forest.path))
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
