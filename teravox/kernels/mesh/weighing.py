"""Weighs what it costs to leave out a vertex, by pulling it onto one of its neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.collapsible import may_slide
from teravox.kernels.mesh.half_edges import Marks
from teravox.kernels.mesh.quadrics import AREA, GAIN, Quadrics, Regions, Vector
from teravox.kernels.mesh.rings import Ring, Vertices

LENGTH = 1e-5  # what an edge's squared length adds to its cost, so that of equal edges the short ones go first
BALANCE = 5.0  # what the squared mean shift of the surface, outwards or inwards, adds to the cost
RETURN = 100.0  # how strongly the shift of a place shall undo that of the whole


class Terms(NamedTuple):
    """What limits the next collapse."""

    limit: float  # of the cost
    aim: float  # a shift that would undo the one of the whole, with the opposite sign
    loss: float  # of volume, at most
    gain: float


@compiled
def terms_of(limit: float, spare: float, gained: float, area: float) -> Terms:
    """The limits where a surface of this area has gained this volume, and may gain or lose the spare one."""
    aim = RETURN * gained / area if area > 0 else 0.0
    return Terms(limit, aim, min(0.0, -spare - gained), max(0.0, spare - gained))


@compiled
def weigh(
    vertices: Vertices,
    marks: Marks,
    quadrics: Quadrics,
    regions: Regions,
    terms: Terms,
    u: int,
    ring: Ring,
    number: int,
) -> tuple[float, Vector]:
    """Write what it costs to pull a vertex onto each one of its ring, and say the least cost.

    That is the mean squared distance from its planes, and what pulls the surface of this place to one side, unless it
    undoes what others did. Beside it stands what the volume gains by each nanometer that the vertex moves.
    """
    x, y, z = ring.x, ring.y, ring.z
    push_x = push_y = push_z = 0.0
    for i in range(number):
        ring.face_x[i] = y[i] * z[i + 1] - z[i] * y[i + 1]
        ring.face_y[i] = z[i] * x[i + 1] - x[i] * z[i + 1]
        ring.face_z[i] = x[i] * y[i + 1] - y[i] * x[i + 1]
        push_x += ring.face_x[i]
        push_y += ring.face_y[i]
        push_z += ring.face_z[i]
    push = (push_x / 6, push_y / 6, push_z / 6)
    q0, q1, q2, q3, q4 = quadrics[u, 0], quadrics[u, 1], quadrics[u, 2], quadrics[u, 3], quadrics[u, 4]
    q5, q6, q7, q8, q9 = quadrics[u, 5], quadrics[u, 6], quadrics[u, 7], quadrics[u, 8], quadrics[u, 9]
    for i in range(number):
        total = q9 + x[i] * (q0 * x[i] + 2 * (q1 * y[i] + q2 * z[i] + q6))
        total += y[i] * (q3 * y[i] + 2 * (q4 * z[i] + q7))
        ring.costs[i] = total + z[i] * (q5 * z[i] + 2 * q8)
    area, gained = regions[u, AREA], regions[u, GAIN]
    most = terms.limit * area
    best = np.inf
    for i in range(number):
        cost = ring.costs[i]
        ring.costs[i] = np.inf
        if cost <= most:
            gain = push[0] * x[i] + push[1] * y[i] + push[2] * z[i]
            v = ring.ends[i]
            if terms.loss <= gain <= terms.gain and may_slide(vertices, marks, u, v):
                shift = 3 * (gained + regions[v, GAIN] + gain) / (area + regions[v, AREA]) + terms.aim
                cost = max(0.0, cost) / area + BALANCE * shift * shift
                if cost <= terms.limit:
                    cost += LENGTH * (x[i] * x[i] + y[i] * y[i] + z[i] * z[i])
                    ring.costs[i] = cost
                    best = min(best, cost)
    return best, push
