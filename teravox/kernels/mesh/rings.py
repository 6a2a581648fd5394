"""What lies around a vertex, gathered once for all that is asked of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.half_edges import START, TWIN, WIDEST, Halves, Numbers, precede
from teravox.kernels.mesh.quadrics import Vector

Row = NDArray[np.float64]
Vertices = NDArray[np.int32]


class Ring(NamedTuple):
    """What lies around a vertex: neighbour i is where half-edge i ends, and face i lies between neighbours i and i + 1."""

    edges: Numbers
    ends: Numbers
    x: Row  # the way to a neighbour; the first one comes once more after the last
    y: Row
    z: Row
    face_x: Row  # the normal of a face, twice its area long
    face_y: Row
    face_z: Row
    costs: Row


@compiled
def make_ring() -> Ring:
    """Room for the widest ring."""
    size = WIDEST + 1
    return Ring(
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
    )


@compiled
def look(halves: Halves, leaving: Numbers, vertices: Vertices, step: Vector, u: int, ring: Ring) -> int:
    """Write what lies around a vertex that has a whole ring, but for the costs; say how many neighbours there are.

    It is WIDEST + 1 where they are too many.
    """
    first = leaving[u]
    x, y, z = vertices[u, 0], vertices[u, 1], vertices[u, 2]
    h, number = first, 0
    while True:
        if number == WIDEST:
            return WIDEST + 1
        before = precede(h)
        w = halves[before, START]  # neighbour number + 1
        ring.edges[number] = h
        number += 1
        ring.ends[number] = w
        ring.x[number] = (vertices[w, 0] - x) * step[0]
        ring.y[number] = (vertices[w, 1] - y) * step[1]
        ring.z[number] = (vertices[w, 2] - z) * step[2]
        h = halves[before, TWIN]
        if h == first:
            break
    ring.ends[0], ring.x[0], ring.y[0], ring.z[0] = ring.ends[number], ring.x[number], ring.y[number], ring.z[number]
    return number
