"""The bodies that a surface encloses, one for each of its connected parts, and what they may lose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.half_edges import INNER, Marks, Numbers
from teravox.kernels.mesh.quadrics import Vector, between, cross, dot
from teravox.kernels.unions import find

Volumes = NDArray[np.float64]

LOSS = 0.75  # of its volume a body may lose, and it is one still


@compiled
def find_bodies(
    vertices: NDArray[np.int32], faces: NDArray[np.uint32], step: Vector, kinds: Marks
) -> tuple[Numbers, Volumes]:
    """By vertex the body that it is part of, and by body the volume that it may lose: negative in a cavity.

    An open one may lose all there is.
    """
    bodies = np.arange(len(vertices)).astype(np.int32)
    for f in range(len(faces)):
        a = find(bodies, faces[f, 0])
        for k in range(1, 3):
            b = find(bodies, faces[f, k])
            bodies[max(a, b)] = a = min(a, b)
    number = 0
    for v in range(len(vertices)):
        if bodies[v] == v:
            bodies[v] = number
            number += 1
        else:
            bodies[v] = bodies[bodies[v]]  # the first of a body has its number already, and so has who comes before
    spare = np.zeros(number)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        base = between(vertices, step, 0, a)
        normal = cross(between(vertices, step, a, b), between(vertices, step, a, c))
        spare[bodies[a]] += dot(base, normal) / 6 * LOSS
    for v in range(len(vertices)):
        if kinds[v] != INNER:
            spare[bodies[v]] = np.inf
    return bodies, spare


@compiled
def stays_solid(spare: float, gain: float) -> bool:
    """Whether a body that may lose so much stays one when it gains this volume."""
    return spare + gain >= 0 if spare >= 0 else spare + gain <= 0
