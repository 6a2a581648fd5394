"""Leaves out vertices of a surface that it does not need."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.bodies import find_bodies, stays_solid
from teravox.kernels.mesh.buckets import BUCKET, BUCKETS, FIRST, NONE, Ends, Line, bucket_of, make_buckets, put, take
from teravox.kernels.mesh.collapsible import Vertices, keeps_sides, keeps_topology, mark, may_slide
from teravox.kernels.mesh.half_edges import (
    START,
    TWIN,
    WIDEST,
    Halves,
    Marks,
    Numbers,
    collapse,
    connect,
    follow,
    look_around,
)
from teravox.kernels.mesh.planes import LOCKED
from teravox.kernels.mesh.quadrics import (
    AREA,
    GAIN,
    Quadrics,
    Regions,
    Vector,
    add,
    between,
    cross,
    dot,
    error_at,
    form_of,
    measure,
)
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import canonical

Costs = NDArray[np.float64]

MEAN_OF_LARGEST = 0.36  # what a vertex may cost, by the largest distance of the faces that it stands for
LENGTH = 1e-5  # what an edge's squared length adds to its cost, so that of equal edges the short ones go first
BALANCE = 5.0  # what the squared mean shift of the surface, outwards or inwards, adds to the cost
RETURN = 100.0  # how strongly the shift of a place shall undo that of the whole
PATIENCE = 2  # buckets by which a cost may have risen since it was found, before the vertex waits again
BLOCK = 1 << 14  # vertices that the caches hold, with all that belongs to them
PHASES = (1 / 4, 1.0)  # of the limit, up to which all blocks are simplified before the next one
SHIFT = 0.004  # how far the whole may be shifted at any time, by the largest distance


class Terms(NamedTuple):
    """What limits the next collapse."""

    limit: float  # of the cost
    aim: float  # a shift that would undo the one of the whole, with the opposite sign
    loss: float  # of volume, at most
    gain: float


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
    it lies. The surface must have no two vertices at one place: `weld` sees to it. It takes 90 bytes a face.
    """
    if surface.is_empty:
        return canonical(surface)
    vertices = np.ascontiguousarray(surface.vertices, np.int32)
    faces = np.ascontiguousarray(surface.faces, np.uint32)
    masks = np.zeros(len(vertices), np.uint8) if planes is None else np.ascontiguousarray(planes, np.uint8)
    if len(masks) != len(vertices):
        raise ValueError(f"{len(masks):,} masks for {len(vertices):,} vertices")
    sides = (float(step[0]), float(step[1]), float(step[2]))
    kept = _simplify(vertices, faces, masks, sides, float(max_error), target_faces)
    return canonical(Surface(vertices, kept))


@compiled
def _simplify(
    vertices: Vertices, faces: NDArray[np.uint32], masks: Marks, step: Vector, max_error: float, target: int
) -> NDArray[np.uint32]:
    """The faces that are left."""
    halves, leaving, kinds = connect(faces, len(vertices))
    marks = mark(kinds, masks)
    quadrics, regions = measure(vertices, faces, step)
    bodies, spares = find_bodies(vertices, faces, step, kinds)
    rounding = 1e-9 * min(step)  # of what is exact, so that flat faces are simplified without an error, too
    limit = (MEAN_OF_LARGEST * max_error) ** 2 + 1e-3 * rounding * min(step)
    ends, line = make_buckets(len(vertices))
    costs, ways = np.empty(WIDEST), np.empty((WIDEST, 3))
    ring, other = np.empty(WIDEST, np.int32), np.empty(WIDEST, np.int32)
    stamps = np.zeros(len(vertices), np.int32)
    stamp, left = 0, len(faces)
    size = BLOCK if target == 0 and len(vertices) > BLOCK else len(vertices)
    gains = np.zeros(-(-len(vertices) // size))
    areas = np.array([regions[size * i : size * (i + 1), AREA].sum() / 3 for i in range(len(gains))])
    for phase in range(0 if len(gains) > 1 else len(PHASES) - 1, len(PHASES)):
        share = PHASES[phase]
        for block in range(len(gains)):
            low, high = size * block, min(size * (block + 1), len(vertices))
            area, gained = areas[block], gains[block]
            spare = (SHIFT * max_error + rounding) * area
            terms = _terms(share * limit, spare, gained, area)
            for u in range(low, high):
                if marks[u] & LOCKED == 0 and leaving[u] != NONE:
                    number = look_around(halves, leaving, u, ring)
                    best, _ = _weigh(
                        halves, vertices, marks, step, quadrics, regions, terms, u, ring, number, costs, ways
                    )
                    if best < np.inf:
                        put(ends, line, u, bucket_of(best))
            bucket = 0
            while bucket < BUCKETS and left > target:
                u = ends[bucket, FIRST]
                if u == NONE:
                    bucket += 1
                    continue
                take(ends, line, u)
                number = look_around(halves, leaving, u, ring)
                best, push = _weigh(
                    halves, vertices, marks, step, quadrics, regions, terms, u, ring, number, costs, ways
                )
                if best < np.inf and bucket_of(best) <= bucket + PATIENCE:
                    stamp += 1
                    for i in range(number):
                        stamps[halves[follow(ring[i]), START]] = stamp
                while best < np.inf:
                    if bucket_of(best) > bucket + PATIENCE:
                        put(ends, line, u, bucket_of(best))
                        break
                    chosen = 0
                    while costs[chosen] != best:
                        chosen += 1
                    h = ring[chosen]
                    way = (ways[chosen, 0], ways[chosen, 1], ways[chosen, 2])
                    gain = dot(push, way)
                    if (
                        stays_solid(spares[bodies[u]], gain)
                        and keeps_topology(halves, leaving, marks, h, ring, number, other, stamps, stamp)
                        and keeps_sides(halves, vertices, step, h, ring, number)
                    ):
                        v = halves[halves[h, TWIN], START]
                        add(quadrics, u, v, way)
                        regions[v, AREA] += regions[u, AREA]
                        regions[v, GAIN] += regions[u, GAIN] + gain
                        spares[bodies[u]] += gain
                        gained += gain
                        terms = _terms(share * limit, spare, gained, area)
                        for i in range(number):
                            other[i] = halves[follow(ring[i]), START]
                        collapse(halves, leaving, h, ring, number)
                        left -= 2
                        for i in range(number):
                            w = other[i]
                            if (
                                w < low
                                or w >= high
                                or marks[w] & LOCKED
                                or (line[w, BUCKET] != NONE and (w == v or line[w, BUCKET] <= bucket))
                            ):
                                continue
                            if w == v:
                                around = look_around(halves, leaving, v, ring)
                                cost, _ = _weigh(
                                    halves,
                                    vertices,
                                    marks,
                                    step,
                                    quadrics,
                                    regions,
                                    terms,
                                    v,
                                    ring,
                                    around,
                                    costs,
                                    ways,
                                )
                            elif may_slide(vertices, marks, w, v):
                                cost = error_at(form_of(quadrics, w), between(vertices, step, w, v)) / regions[w, AREA]
                            else:
                                continue
                            if cost <= terms.limit:
                                _hasten(ends, line, w, max(bucket, bucket_of(cost)))
                        break
                    costs[chosen] = best = np.inf
                    for i in range(number):
                        best = min(best, costs[i])
            gains[block] = gained
    return _gather(halves, left)


@compiled
def _terms(limit: float, spare: float, gained: float, area: float) -> Terms:
    aim = RETURN * gained / area if area > 0 else 0.0
    return Terms(limit, aim, min(0.0, -spare - gained), max(0.0, spare - gained))


@compiled
def _weigh(
    halves: Halves,
    vertices: Vertices,
    marks: Marks,
    step: Vector,
    quadrics: Quadrics,
    regions: Regions,
    terms: Terms,
    u: int,
    ring: Numbers,
    number: int,
    costs: Costs,
    ways: Costs,
) -> tuple[float, Vector]:
    """What it costs to pull a vertex onto each one of its ring: write `costs` and `ways`, and say the least cost.

    That is the mean squared distance from its planes, and what pulls the surface of this place to one side, unless it
    undoes what others did. Beside it stands what the volume gains by each nanometer that the vertex moves.
    """
    best = np.inf
    push = (0.0, 0.0, 0.0)
    if number > WIDEST:
        return best, push
    last = between(vertices, step, u, halves[follow(ring[number - 1]), START])
    for i in range(number):
        way = between(vertices, step, u, halves[follow(ring[i]), START])
        ways[i, 0], ways[i, 1], ways[i, 2] = way
        turn = cross(last, way)
        push = (push[0] + turn[0] / 6, push[1] + turn[1] / 6, push[2] + turn[2] / 6)
        last = way
    form, area, gained = form_of(quadrics, u), regions[u, AREA], regions[u, GAIN]
    for i in range(number):
        way = (ways[i, 0], ways[i, 1], ways[i, 2])
        costs[i] = np.inf
        cost, gain = error_at(form, way) / area, dot(push, way)
        if cost <= terms.limit and terms.loss <= gain <= terms.gain:
            v = halves[follow(ring[i]), START]
            if may_slide(vertices, marks, u, v):
                shift = 3 * (gained + regions[v, GAIN] + gain) / (area + regions[v, AREA]) + terms.aim
                cost += BALANCE * shift * shift
                if cost <= terms.limit:
                    costs[i] = cost + LENGTH * dot(way, way)
                    best = min(best, costs[i])
    return best, push


@compiled
def _hasten(ends: Ends, line: Line, number: int, bucket: int) -> None:
    """Let a number wait in the queue until this bucket at most; what it costs then is found when its turn comes."""
    if line[number, BUCKET] == NONE:
        put(ends, line, number, bucket)
    elif bucket < line[number, BUCKET]:
        take(ends, line, number)
        put(ends, line, number, bucket)


@compiled
def _gather(halves: Halves, faces: int) -> NDArray[np.uint32]:
    kept = np.empty((faces, 3), np.uint32)
    number = 0
    for f in range(len(halves) // 3):
        if halves[3 * f, START] != NONE:
            for k in range(3):
                kept[number, k] = halves[3 * f + k, START]
            number += 1
    return kept
