"""How far a place is from planes: the sum of its squared distances, each times the area of the face in the plane.

`quadrics` has by vertex, and relative to it, so that surfaces far from the origin lose no digits: the matrix of the sum (its 6
different entries), the vector (3), and the sum at the vertex itself. `regions` has by vertex the AREA of these faces, and what
volume they have gained since (GAIN).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Quadrics = NDArray[np.float64]
Regions = NDArray[np.float64]
Form = tuple[float, float, float, float, float, float, float, float, float, float]
Vector = tuple[float, float, float]  # nanometers

AREA, GAIN = 0, 1


@compiled
def between(vertices: NDArray[np.int32], step: Vector, u: int, v: int) -> Vector:
    """The way from one vertex to another."""
    return (
        (vertices[v, 0] - vertices[u, 0]) * step[0],
        (vertices[v, 1] - vertices[u, 1]) * step[1],
        (vertices[v, 2] - vertices[u, 2]) * step[2],
    )


@compiled
def cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@compiled
def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def measure(vertices: NDArray[np.int32], faces: NDArray[np.uint32], step: Vector) -> tuple[Quadrics, Regions]:
    """The quadrics of the planes of the faces around each vertex, and their regions."""
    quadrics, regions = np.zeros((len(vertices), 10)), np.zeros((len(vertices), 2))
    for f in range(len(faces)):
        a = faces[f, 0]
        n = cross(between(vertices, step, a, faces[f, 1]), between(vertices, step, a, faces[f, 2]))
        length = math.sqrt(dot(n, n))
        if length == 0:
            continue
        weight = 0.5 / length
        for k in range(3):
            v = faces[f, k]
            quadrics[v, 0] += n[0] * n[0] * weight
            quadrics[v, 1] += n[0] * n[1] * weight
            quadrics[v, 2] += n[0] * n[2] * weight
            quadrics[v, 3] += n[1] * n[1] * weight
            quadrics[v, 4] += n[1] * n[2] * weight
            quadrics[v, 5] += n[2] * n[2] * weight
            regions[v, AREA] += 0.5 * length
    return quadrics, regions


@compiled
def form_of(quadrics: Quadrics, u: int) -> Form:
    """The numbers of one vertex."""
    return (
        quadrics[u, 0],
        quadrics[u, 1],
        quadrics[u, 2],
        quadrics[u, 3],
        quadrics[u, 4],
        quadrics[u, 5],
        quadrics[u, 6],
        quadrics[u, 7],
        quadrics[u, 8],
        quadrics[u, 9],
    )


@compiled
def error_at(q: Form, way: Vector) -> float:
    """The sum for a place at this distance from the vertex."""
    x, y, z = way
    total = q[9] + x * (q[0] * x + 2 * (q[1] * y + q[2] * z + q[6]))
    total += y * (q[3] * y + 2 * (q[4] * z + q[7]))
    return max(0.0, total + z * (q[5] * z + 2 * q[8]))


@compiled
def add(quadrics: Quadrics, u: int, v: int, way: Vector) -> None:
    """Add to one vertex what another one has, from which this is the way."""
    q = form_of(quadrics, u)
    x, y, z = way
    quadrics[v, 9] += error_at(q, way)
    quadrics[v, 6] += q[6] + q[0] * x + q[1] * y + q[2] * z
    quadrics[v, 7] += q[7] + q[1] * x + q[3] * y + q[4] * z
    quadrics[v, 8] += q[8] + q[2] * x + q[4] * y + q[5] * z
    for i in range(6):
        quadrics[v, i] += quadrics[u, i]
