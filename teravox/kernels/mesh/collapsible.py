"""Says which edges of a surface may be collapsed."""

from __future__ import annotations

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.half_edges import (
    INNER,
    NONE,
    RIM,
    START,
    TANGLED,
    TWIN,
    WIDEST,
    Halves,
    Marks,
    Numbers,
    follow,
    precede,
)
from teravox.kernels.mesh.planes import LOCKED
from teravox.kernels.mesh.quadrics import cross, dot
from teravox.kernels.mesh.rings import Ring, Vertices

ON_RIM, AVOIDED = 32, 64  # marks of vertices, beside those for planes and LOCKED
TURN = 0.2  # cosine of how far the normal of a face may turn at once: 78 degrees


@compiled
def mark(kinds: Marks, planes: Marks) -> Marks:
    """All that is to know of vertices: their planes, whether they are LOCKED, and why."""
    marks = planes.copy()
    for v in range(len(marks)):
        if kinds[v] != INNER:
            marks[v] |= np.uint8(LOCKED | (ON_RIM if kinds[v] == RIM else 0) | (AVOIDED if kinds[v] == TANGLED else 0))
    return marks


@compiled
def may_slide(vertices: Vertices, marks: Marks, u: int, v: int) -> bool:
    """Whether a vertex stays on all its planes when it is pulled onto another one."""
    if marks[v] & AVOIDED:
        return False
    if marks[u] & 7:
        for axis in range(3):
            if (marks[u] >> axis) & 1 and vertices[u, axis] != vertices[v, axis]:
                return False
    return True


@compiled
def keeps_topology(
    halves: Halves,
    leaving: Numbers,
    marks: Marks,
    ends: Numbers,
    at: int,
    number: int,
    stamps: Numbers,
    stamp: int,
) -> bool:
    """Whether the surface without the edge to neighbour `at` of a vertex is one of the same topology.

    The two may have no other neighbours in common than the corners of the edge's two faces: `stamps` hold `stamp` at the
    neighbours of the vertex, which are `ends`. And no new edge may join two locked vertices: whoever has the surface
    beyond them could do the same, and four faces would meet.
    """
    v = ends[at]
    first = leaving[v]
    other, around, shared = first, 0, 0
    while True:
        if around + number - 4 > WIDEST:
            return False
        shared += stamps[halves[follow(other), START]] == stamp
        around += 1
        before = precede(other)
        other = halves[before, TWIN]
        if other == NONE:  # a fan has one neighbour more than faces
            shared += stamps[halves[before, START]] == stamp
            break
        if other == first:
            break
    if shared != 2:
        return False
    if number == 3 and around == 3 and marks[v] & ON_RIM == 0:  # a tetrahedron
        return False
    if marks[v] & LOCKED:
        a, b = ends[at + 1], ends[at - 1 if at else number - 1]
        if number == 3 and marks[a] & marks[b] & LOCKED:
            return False
        for i in range(number):
            w = ends[i]
            if marks[w] & LOCKED and w not in (v, a, b):
                return False
    return True


@compiled
def keeps_sides(ring: Ring, number: int, at: int, least: float) -> bool:
    """Whether no face turns over, or loses its area, when a vertex is pulled onto neighbour `at` of its ring.

    `least` is the square of half the shortest normal on the grid.
    """
    x, y, z = ring.x[at], ring.y[at], ring.z[at]
    gone = at - 1 if at else number - 1
    for i in range(number):
        if i in (at, gone):
            continue
        side = (ring.x[i + 1] - ring.x[i], ring.y[i + 1] - ring.y[i], ring.z[i + 1] - ring.z[i])
        old = (ring.face_x[i], ring.face_y[i], ring.face_z[i])
        turned = cross((x, y, z), side)
        new = (old[0] - turned[0], old[1] - turned[1], old[2] - turned[2])
        area, same = dot(new, new), dot(old, new)
        if area < least or same <= 0 or same * same < TURN * TURN * dot(old, old) * area:
            return False
    return True
