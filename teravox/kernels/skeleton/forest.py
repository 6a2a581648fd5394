"""The branches of a skeleton without loops, while some are dropped and others become one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import Scratch, flags, longs, numbered
from teravox.kernels.skeleton.branches import Branches
from teravox.kernels.unions import Parents, find

NONE = -1
SEVERAL = -1  # the owner of branch points
GONE = -2  # the owner of vertices that were dropped

Places = NDArray[np.int64]


class Forest(NamedTuple):
    """Branches that have become one are known by the first of them, which has a list of all."""

    starts: Places  # as in Branches
    path: Places
    ends: Places  # (b, 2): the vertices at both ends
    following: Places  # by branch the next one in its list, ...
    last: Places  # ... and, by the first of a list, its last one
    one: Parents  # the sets of branches that have become one
    gone: NDArray[np.bool_]
    arms: Places  # by vertex: how many branches end there; 2 within a branch
    owner: Places  # by vertex: its branch, SEVERAL or GONE
    begin: Places  # the branches that ended at vertex v at first are near[begin[v]:begin[v + 1]]
    near: Places


@compiled
def make_forest(branches: Branches, scratch: Scratch) -> Forest:
    """The forest of these branches, of which none closes a loop."""
    starts, path, degrees = branches
    count = len(starts) - 1
    ends = longs(scratch, 2 * count).reshape(count, 2)
    owner, begin = longs(scratch, len(degrees)), longs(scratch, len(degrees) + 1)
    owner[:], begin[:] = SEVERAL, 0
    for b in range(count):
        for at in range(starts[b], starts[b + 1]):
            if degrees[path[at]] < 3:
                owner[path[at]] = b
        ends[b, 0], ends[b, 1] = path[starts[b]], path[starts[b + 1] - 1]
        begin[ends[b, 0] + 1] += 1
        begin[ends[b, 1] + 1] += 1
    for v in range(len(degrees)):
        begin[v + 1] += begin[v]
    at_end, near = longs(scratch, len(degrees)), longs(scratch, 2 * count)
    at_end[:] = begin[:-1]
    for b in range(count):
        for side in range(2):
            near[at_end[ends[b, side]]] = b
            at_end[ends[b, side]] += 1
    following, last, one = longs(scratch, count), numbered(scratch, count), numbered(scratch, count)
    following[:] = NONE
    gone, arms = flags(scratch, count, False), longs(scratch, len(degrees))
    arms[:] = degrees
    return Forest(starts, path, ends, following, last, one, gone, arms, owner, begin, near)


@compiled
def list_members(forest: Forest, branch: int, members: Places) -> int:
    """Write down the vertices that belong to a branch alone, some of them twice; how many that makes."""
    count = 0
    b = branch
    while b != NONE:
        for at in range(forest.starts[b], forest.starts[b + 1]):
            vertex = forest.path[at]
            if forest.owner[vertex] >= 0:
                members[count] = vertex
                count += 1
        b = forest.following[b]
    return count


@compiled
def belongs_to(owner: Places, one: Parents, vertex: int, branch: int) -> bool:
    """Whether a vertex belongs to a branch alone. It takes what it needs of a forest: a whole one costs more to hand over."""
    return owner[vertex] >= 0 and find(one, owner[vertex]) == branch


@compiled
def drop(forest: Forest, branch: int, members: Places, count: int) -> None:
    """Drop a branch with its members; at its base, one arm is left less."""
    b = branch
    while b != NONE:
        forest.gone[b] = True
        b = forest.following[b]
    for at in range(count):
        forest.owner[members[at]] = GONE
    for side in range(2):
        forest.arms[forest.ends[branch, side]] -= 1


@compiled
def fuse(forest: Forest, vertex: int) -> tuple[int, int]:
    """Make one branch of the two that are left at a vertex; the branch that they are, and the one that is no more."""
    a = c = NONE
    for at in range(forest.begin[vertex], forest.begin[vertex + 1]):
        if not forest.gone[forest.near[at]]:
            a, c = c, find(forest.one, forest.near[at])
    a, c = min(a, c), max(a, c)
    ends = forest.ends
    far = ends[c, 0] if ends[c, 0] != vertex else ends[c, 1]
    if ends[a, 0] == vertex:
        ends[a, 0] = far
    else:
        ends[a, 1] = far
    forest.one[c] = a
    forest.following[forest.last[a]] = c
    forest.last[a] = forest.last[c]
    forest.owner[vertex] = a
    return a, c
