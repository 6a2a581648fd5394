"""Leaves out vertices of a surface that it does not need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.mesh.bodies import find_bodies, stays_solid
from teravox.kernels.mesh.collapsible import keeps_sides, keeps_topology, mark
from teravox.kernels.mesh.half_edges import NONE, START, WIDEST, Halves, Marks, collapse, connect
from teravox.kernels.mesh.planes import LOCKED
from teravox.kernels.mesh.quadrics import AREA, GAIN, Vector, add, measure
from teravox.kernels.mesh.rings import Vertices, look, make_ring
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weighing import terms_of, weigh
from teravox.kernels.mesh.weld import canonical

MEAN_OF_LARGEST = 0.36  # what a vertex may cost, by the largest distance of the faces that it stands for
BLOCK = 1 << 14  # vertices that the caches hold, with all that belongs to them
STEPS = (1 / 8, np.inf, np.inf)  # of the limit: up to which cost vertices are left out, turn by turn
FINE_STEPS = (*(2.0 ** (-step / 2) for step in range(24, 0, -1)), np.inf)  # where it ends with a number of faces
ALL = np.finfo(np.float32).max
SHIFT = 0.004  # how far the whole may be shifted at any time, by the largest distance


def simplify(
    surface: Surface,
    *,
    step: tuple[float, float, float],
    max_error: float,
    planes: NDArray[np.uint8] | None = None,
    target_faces: int = 0,
) -> Surface:
    """A surface of fewer faces, in canonical order, whose vertices are some of the given ones.

    `step` is the length of half a voxel on each axis, in nanometers, and `max_error` how far the surface may come from
    the given one, in nanometers: nearly all of it comes much nearer. It ends with `target_faces`, or where one more vertex
    left out would be too far away, as it is where locked vertices or the topology forbid so few faces.
    `planes` is what `planes_of` says: no face comes to cross such a plane, and what is locked is kept, vertices and the
    edges between them; so are all vertices of edges that have not two faces. The topology stays the same, and so do the
    edges of an open surface, and nearly so the volume. The same surface in the same order gives the same result, wherever
    it lies. The surface must have no two vertices at one place: `weld` sees to it. It takes 92 bytes a face.
    """
    if surface.is_empty:
        return canonical(surface)
    vertices = read_only(np.ascontiguousarray(surface.vertices, np.int32))
    faces = read_only(np.ascontiguousarray(surface.faces, np.uint32))
    masks = np.zeros(len(vertices), np.uint8) if planes is None else np.ascontiguousarray(planes, np.uint8)
    if len(masks) != len(vertices):
        raise ValueError(f"{len(masks):,} masks for {len(vertices):,} vertices")
    sides = (float(step[0]), float(step[1]), float(step[2]))
    shares = np.array(STEPS if target_faces == 0 else FINE_STEPS)
    kept = _simplify(vertices, faces, masks, sides, float(max_error), target_faces, shares)
    return canonical(Surface(vertices, kept))


@compiled
def _simplify(
    vertices: Vertices,
    faces: NDArray[np.uint32],
    masks: Marks,
    step: Vector,
    max_error: float,
    target: int,
    shares: NDArray[np.float64],
) -> NDArray[np.uint32]:
    """The faces that are left."""
    halves, leaving, kinds = connect(faces, len(vertices))
    marks = mark(kinds, masks)
    quadrics, regions = measure(vertices, faces, step)
    bodies, spares = find_bodies(vertices, faces, step, kinds)
    rounding = 1e-9 * min(step)  # of what is exact, so that flat faces are simplified without an error, too
    limit = (MEAN_OF_LARGEST * max_error) ** 2 + 1e-3 * rounding * min(step)
    least = (0.5 * min(step[0] * step[1], step[1] * step[2], step[2] * step[0])) ** 2
    ring = make_ring()
    stamps = np.zeros(len(vertices), np.int32)
    stamp, left = 0, len(faces)
    # What a vertex cost when it was weighed last. Where something has changed it is weighed again at the next turn; or, if
    # few are to stay, when it is its turn by what it cost before, which mostly is less: the result is as near, in 3/4 of the time.
    due = np.zeros(len(vertices), np.float32)
    for u in range(len(vertices)):
        if marks[u] & LOCKED or leaving[u] == NONE:
            due[u] = np.inf
    size = BLOCK if target == 0 else len(vertices)
    for low in range(0, len(vertices), size):
        high = min(low + size, len(vertices))
        area, gained = regions[low:high, AREA].sum() / 3, 0.0
        spare = (SHIFT * max_error + rounding) * area
        terms = terms_of(limit, spare, gained, area)
        for share in shares:
            bound = min(np.float32(share * limit), ALL)
            for u in range(low, high):
                if due[u] > bound:
                    continue
                if left <= target:
                    break
                number = look(halves, leaving, vertices, step, u, ring)
                if number > WIDEST:
                    due[u] = np.inf
                    continue
                best, push = weigh(vertices, marks, quadrics, regions, terms, u, ring, number)
                if best <= bound:
                    stamp += 1
                    for i in range(number):
                        stamps[ring.ends[i]] = stamp
                while best <= bound:
                    at = 0
                    while ring.costs[at] != best:
                        at += 1
                    way = (ring.x[at], ring.y[at], ring.z[at])
                    gain = push[0] * way[0] + push[1] * way[1] + push[2] * way[2]
                    h = ring.edges[at]
                    if (
                        keeps_sides(ring, number, at, least)
                        and stays_solid(spares[bodies[u]], gain)
                        and keeps_topology(halves, leaving, marks, ring.ends, at, number, stamps, stamp)
                    ):
                        v = ring.ends[at]
                        add(quadrics, u, v, way)
                        regions[v, AREA] += regions[u, AREA]
                        regions[v, GAIN] += regions[u, GAIN] + gain
                        spares[bodies[u]] += gain
                        gained += gain
                        terms = terms_of(limit, spare, gained, area)
                        collapse(halves, leaving, h, ring.edges, number)
                        left -= 2
                        for i in range(number):
                            w = ring.ends[i]
                            if marks[w] & LOCKED == 0 and (target == 0 or due[w] > ALL):
                                due[w] = 0 if target == 0 else min(2 * bound, ALL)
                        best = np.inf
                        break
                    ring.costs[at] = best = np.inf
                    for i in range(number):
                        best = min(best, ring.costs[i])
                due[u] = best
    return _gather(halves, left)


@compiled
def _gather(halves: Halves, faces: int) -> NDArray[np.uint32]:
    kept = np.empty((faces, 3), np.uint32)
    number = 0
    for f in range(len(halves) // 4):
        if halves[4 * f, START] != NONE:
            for k in range(3):
                kept[number, k] = halves[4 * f + k, START]
            number += 1
    return kept
