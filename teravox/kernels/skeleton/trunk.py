"""Applies TEASAR's own rule where pieces meet: no path begins within the ball of the path that it would leave.

A piece draws paths to what it has in common with its neighbours without knowing how near these reach. Seen together,
such a branch may lie in the balls around the path from which it comes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import Scratch, doubles, flags, longs
from teravox.kernels.skeleton.components import square_of
from teravox.kernels.skeleton.cover import Cover
from teravox.kernels.skeleton.forest import GONE, Forest, Places, belongs_to
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.skeleton.weld import SHARED


class Ball(NamedTuple):
    """How far a path reaches from each vertex, in nanometres."""

    scale: float  # times its radius ...
    const: float  # ... and so much
    thick: float = np.inf  # beyond this radius it may be a soma, which reaches thinner branches no further than ...
    soma_scale: float = 1.0  # ... times its radius ...
    soma_const: float = 0.0  # ... and so much


class Walk(NamedTuple):
    """The edges of all vertices, and room to walk along them."""

    begin: Places  # the edges of vertex v lead to near[begin[v]:begin[v + 1]]
    near: Places
    walked: NDArray[np.float64]
    found: Places
    seen: NDArray[np.bool_]  # by vertex, while one walks


@compiled
def make_walk(edges: Edges, vertices: int, scratch: Scratch) -> Walk:
    begin, at = longs(scratch, vertices + 1), longs(scratch, vertices)
    begin[:] = 0
    for e in range(len(edges)):
        begin[edges[e, 0] + 1] += 1
        begin[edges[e, 1] + 1] += 1
    for v in range(vertices):
        begin[v + 1] += begin[v]
    at[:] = begin[:-1]
    near = longs(scratch, 2 * len(edges))
    for e in range(len(edges)):
        for side in range(2):
            vertex = edges[e, side]
            near[at[vertex]] = edges[e, 1 - side]
            at[vertex] += 1
    return Walk(begin, near, doubles(scratch, vertices), longs(scratch, vertices), flags(scratch, vertices, False))


@compiled
def reach_of(ball: Ball, radius: float, other: float) -> float:
    """How far a path reaches where it has this radius, to where a branch has the other one: a dendrite of a soma is thin."""
    usual = ball.scale * radius + ball.const
    may_be_dendrite = radius > ball.thick >= other
    return float(min(usual, ball.soma_scale * radius + ball.soma_const) if may_be_dendrite else usual)


@compiled
def may_lie_in_trunk(cover: Cover, forest: Forest, ball: Ball, branch: int, widest: float) -> bool:
    """Whether both ends of a branch are so near each other that it may; `widest` is the largest radius."""
    ends = forest.ends[branch]
    most = 2 * (ball.scale * widest + ball.const)  # a little more than it may be
    return square_of(cover.points, ends[0], ends[1]) <= most * most


@compiled
def lies_in_trunk(
    cover: Cover, forest: Forest, ball: Ball, walk: Walk, branch: int, base: int, members: Places, count: int
) -> bool:
    """Whether a branch that comes from another piece lies in the balls of what it leaves at its base."""
    from_another = cover.piece[base] == SHARED
    for at in range(count):
        from_another |= cover.piece[members[at]] == SHARED
    if not from_another:
        return False
    around = _walk(cover, forest, walk, branch, base, reach_of(ball, cover.radius[base], np.inf))
    points, radius, found = cover.points, cover.radius, walk.found
    for at in range(count):
        inside = False
        for place in range(around):
            most = reach_of(ball, radius[found[place]], radius[members[at]])
            if square_of(points, found[place], members[at]) <= most * most:
                inside = True
                break
        if not inside:
            return False
    return True


@compiled
def _walk(cover: Cover, forest: Forest, walk: Walk, branch: int, base: int, most: float) -> int:
    """Find the vertices of other branches that are at most so many nanometres of way from the base; how many they are."""
    begin, near, walked, found, seen = walk
    points, owner, one = cover.points, forest.owner, forest.one
    found[0], walked[0], seen[base] = base, 0.0, True
    count, at = 1, 0
    while at < count:
        vertex = found[at]
        for way in range(begin[vertex], begin[vertex + 1]):
            other = near[way]
            if seen[other] or owner[other] == GONE or belongs_to(owner, one, other, branch):
                continue
            length = walked[at] + np.sqrt(square_of(points, vertex, other))
            if length <= most:
                seen[other] = True
                found[count], walked[count] = other, length
                count += 1
        at += 1
    for at in range(count):
        seen[found[at]] = False
    return count
