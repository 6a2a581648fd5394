"""Says which edges of a surface may be collapsed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    look_around,
    precede,
)
from teravox.kernels.mesh.planes import LOCKED
from teravox.kernels.mesh.quadrics import Vector, between, cross, dot

Vertices = NDArray[np.int32]

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
    h: int,
    ring: Numbers,
    number: int,
    other: Numbers,
    stamps: Numbers,
    stamp: int,
) -> bool:
    """Whether the surface without this half-edge, which starts in this ring, is one of the same topology.

    Its ends may have no other neighbours in common than the corners of the edge's two faces: `stamps` hold `stamp` at the
    neighbours of its start. And no new edge may join two locked vertices: whoever has the surface beyond them could do
    the same, and four faces would meet. `other` is overwritten.
    """
    g = halves[h, TWIN]
    v = halves[g, START]
    around = look_around(halves, leaving, v, other)
    if around > WIDEST or around + number - 4 > WIDEST:
        return False
    shared = 0
    for i in range(around):
        shared += stamps[halves[follow(other[i]), START]] == stamp
    last = precede(other[around - 1])
    if halves[last, TWIN] == NONE:  # a fan has one neighbour more than faces
        shared += stamps[halves[last, START]] == stamp
    if shared != 2:
        return False
    if number == 3 and around == 3 and marks[v] & ON_RIM == 0:  # a tetrahedron
        return False
    if marks[v] & LOCKED:
        a, b = halves[precede(h), START], halves[precede(g), START]
        if number == 3 and marks[a] & marks[b] & LOCKED:
            return False
        for i in range(number):
            w = halves[follow(ring[i]), START]
            if marks[w] & LOCKED and w not in (v, a, b):
                return False
    return True


@compiled
def keeps_sides(halves: Halves, vertices: Vertices, step: Vector, h: int, ring: Numbers, number: int) -> bool:
    """Whether no face turns over, or loses its area, when this half-edge that starts in this ring is collapsed."""
    u, v = halves[h, START], halves[halves[h, TWIN], START]
    least = 0.5 * min(step[0] * step[1], step[1] * step[2], step[2] * step[0])  # half the shortest normal on the grid
    for i in range(number):
        x, y = halves[follow(ring[i]), START], halves[precede(ring[i]), START]
        if v in (x, y):
            continue
        side = between(vertices, step, x, y)
        old = cross(between(vertices, step, u, x), side)
        new = cross(between(vertices, step, v, x), side)
        area, turned = dot(new, new), dot(old, new)
        if area < least * least or turned <= 0 or turned * turned < TURN * TURN * dot(old, old) * area:
            return False
    return True
