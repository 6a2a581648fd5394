"""Removes ticks from a forest: short branches that end nowhere, and those that come of tracing piece by piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import Scratch, doubles, flags, longs
from teravox.kernels.skeleton.branches import edges_along, find_branches, lengths_along
from teravox.kernels.skeleton.components import Points
from teravox.kernels.skeleton.cover import Cover, Radius, make_cover, runs_beside
from teravox.kernels.skeleton.forest import Forest, drop, fuse, list_members, make_forest
from teravox.kernels.skeleton.heap import pop, push
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.skeleton.trunk import Ball, Walk, lies_in_trunk, make_walk, may_lie_in_trunk


@compiled
def remove_ticks(
    points: Points,
    edges: Edges,
    radius: Radius,
    piece: NDArray[np.int32],
    slack: float,
    ball: Ball,
    shortest: float,
    scratch: Scratch,
) -> Edges:
    """The edges without branches that lead from a branch point to a terminal and are shorter than `shortest` nanometres.

    So go those, of any length, that run beside what other pieces traced, or lie in the trunk that they come from by way
    of another piece. The shortest goes first; where a branch point has two branches left, these are one from then on.
    A component keeps its last branch.
    """
    branches = find_branches(edges, len(points), scratch)
    if branches.degrees.max() <= 2:
        return edges
    forest = make_forest(branches, scratch)
    cover = make_cover(points, radius, piece, slack, scratch)
    of_one_piece = piece.min() == piece.max()
    lengths = lengths_along(points, branches, scratch)
    walk = make_walk(edges, len(points), scratch)
    _prune(forest, lengths, shortest, of_one_piece, cover, walk, ball, scratch)
    if not forest.gone.any():
        return edges
    kept = flags(scratch, len(branches.path), True)
    for b in range(len(forest.gone)):
        kept[branches.starts[b] : branches.starts[b + 1]] = not forest.gone[b]
    return edges_along(branches, kept, scratch)


@compiled
def _prune(
    forest: Forest,
    lengths: NDArray[np.float64],
    shortest: float,
    of_one_piece: bool,
    cover: Cover,
    walk: Walk,
    ball: Ball,
    scratch: Scratch,
) -> None:
    count = len(lengths)
    widest = cover.radius.max()
    apart = flags(scratch, count, False)  # what was found not to run beside others, which stays so when it grows
    members = longs(scratch, len(forest.path))
    keys, things = doubles(scratch, 2 * count), longs(scratch, 2 * count)
    size = 0
    for b in range(count):
        if forest.arms[forest.ends[b, 0]] == 1 or forest.arms[forest.ends[b, 1]] == 1:
            size = push(keys, things, size, lengths[b], b)
    while size:
        size = pop(keys, things, size)
        b = things[size]
        if forest.gone[b] or forest.one[b] != b or keys[size] != lengths[b]:
            continue  # it has become part of a longer one since
        base = forest.ends[b, 0] if forest.arms[forest.ends[b, 0]] > 1 else forest.ends[b, 1]
        if forest.arms[base] == 1:
            continue
        if lengths[b] >= shortest:
            may_lie = may_lie_in_trunk(cover, forest, ball, b, widest)
            if of_one_piece or (apart[b] and not may_lie):
                continue
            found = list_members(forest, b, members)
            apart[b] = apart[b] or not runs_beside(cover, forest, b, members, found)
            if apart[b] and not (may_lie and lies_in_trunk(cover, forest, ball, walk, b, base, members, found)):
                continue
        drop(forest, b, members, list_members(forest, b, members))
        if forest.arms[base] == 2:
            b, other = fuse(forest, base)
            lengths[b] += lengths[other]
            apart[b] |= apart[other]
            if forest.arms[forest.ends[b, 0]] == 1 or forest.arms[forest.ends[b, 1]] == 1:
                size = push(keys, things, size, lengths[b], b)
