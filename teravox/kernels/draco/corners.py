"""Makes a surface of faces as they come: which faces are neighbours, and which corners are one vertex.

A corner has the number of the half-edge that starts there. Where nothing is beyond an edge, there is a corner of face -1:
arrays by face have one place more for it, at their end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.half_edges import NONE, RIM, START, TANGLED, TWIN, Halves, connect, follow, precede

Points = NDArray[np.int32]
Faces = NDArray[np.uint32]
Numbers = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Corners(NamedTuple):
    """A surface in which the faces at each vertex are one ring, or one fan at its rim."""

    halves: Halves
    points: Points  # by vertex; a point at which several rings or fans touch is several vertices
    is_rim: Flags  # by vertex
    vertices: int  # that are in use


@compiled
def make_corners(points: NDArray[np.uint32], faces: Faces) -> Corners:
    """The surface of faces of three different points each."""
    halves, _, kinds = connect(faces, len(points))
    count, unused = len(points), 0
    tangled = 0  # corners
    for v in range(count):
        unused += kinds[v] == TANGLED
    if unused:
        for f in range(len(faces)):
            for k in range(3):
                tangled += kinds[faces[f, k]] == TANGLED
    found, is_rim = np.empty((count + tangled, 3), np.int32), np.empty(count + tangled, np.bool_)
    for v in range(count):
        found[v, 0], found[v, 1], found[v, 2] = points[v, 0], points[v, 1], points[v, 2]
        is_rim[v] = kinds[v] == RIM
    if tangled:
        for f in range(len(faces)):
            for corner in range(4 * f, 4 * f + 3):
                v = halves[corner, START]
                if v < len(points) and kinds[v] == TANGLED:
                    found[count, 0], found[count, 1], found[count, 2] = points[v, 0], points[v, 1], points[v, 2]
                    is_rim[count] = _rename(halves, corner, count)
                    count += 1
    return Corners(halves, found[:count], is_rim[:count], count - unused)


@compiled
def _rename(halves: Halves, corner: int, name: int) -> bool:
    """Let the faces around a vertex, from a corner on, have a vertex of their own; whether they are a fan."""
    h = corner
    while True:
        halves[h, START] = name
        h = halves[precede(h), TWIN]
        if h == corner:
            return False
        if h == NONE:
            break
    h = halves[corner, TWIN]
    while h != NONE:
        h = follow(h)
        halves[h, START] = name
        h = halves[h, TWIN]
    return True


@compiled
def left_of(halves: Halves, corner: int) -> int:
    """The corner beyond the edge between a corner and the next one."""
    return precede(halves[corner, TWIN])


@compiled
def right_of(halves: Halves, corner: int) -> int:
    """The corner beyond the edge between a corner and the one before."""
    return precede(halves[precede(corner), TWIN])


@compiled
def across(halves: Halves, corner: int) -> int:
    """The corner beyond the edge on the other side of the face."""
    return precede(halves[follow(corner), TWIN])


@compiled
def are_sound(points: NDArray[np.uint32], faces: Faces, bits: int) -> bool:
    """Whether all points of faces are there, none has two that are the same, and coordinates are below 2^bits."""
    for i in range(len(points)):
        if (points[i, 0] | points[i, 1] | points[i, 2]) >> bits:
            return False
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if max(a, b, c) >= len(points) or a == b or c in (a, b):
            return False
    return True
