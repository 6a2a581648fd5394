"""The edges of a surface, each as two halves that know each other, and the collapse of one of them.

Half-edge 3 f + k runs from corner k of face f to the next corner. `halves` says the vertex where each starts (START), and the
one that runs the other way (TWIN), or NONE. `leaving` gives each vertex a half-edge that starts there: at the rim of an
open surface the one from which a turn passes all its faces. They are plain arrays, for which compiled loops are fastest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Halves = NDArray[np.int32]
Numbers = NDArray[np.int32]
Marks = NDArray[np.uint8]

NONE = -1
START, TWIN = 0, 1
INNER, RIM, TANGLED = 0, 1, 2  # a vertex with a ring of faces, with a fan of them, and with anything else
WIDEST = 64  # faces around a vertex, beyond which it is left alone


@compiled
def follow(h: int) -> int:
    """The next half-edge of the same face."""
    return h - 2 if h % 3 == 2 else h + 1


@compiled
def precede(h: int) -> int:
    """The half-edge before it in the same face."""
    return h + 2 if h % 3 == 0 else h - 1


@compiled
def connect(faces: NDArray[np.uint32], vertices: int) -> tuple[Halves, Numbers, Marks]:
    """`halves`, `leaving` and what each vertex is: INNER, RIM or TANGLED.

    On edges that have not two faces that agree on the outside, no half-edge has a twin.
    """
    halves = np.full((3 * len(faces), 2), NONE, np.int32)
    ends = np.zeros(vertices + 1, np.int32)  # by vertex: where the edges end of which it is the lesser end
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        halves[3 * f, START], halves[3 * f + 1, START], halves[3 * f + 2, START] = a, b, c
        ends[min(a, b) + np.uint32(1)] += 1
        ends[min(b, c) + np.uint32(1)] += 1
        ends[min(c, a) + np.uint32(1)] += 1
    for v in range(vertices):
        ends[v + 1] += ends[v]
    starts = ends.copy()
    known = np.empty((len(halves), 2), np.int32)  # by lesser end: the greater end of an edge, and its first half-edge
    for h in range(len(halves)):
        a, b = halves[h, START], halves[follow(h), START]
        least, greatest = min(a, b), max(a, b)
        at = starts[least]
        while at < ends[least] and known[at, 0] != greatest:
            at += 1
        if at == ends[least]:
            known[at, 0], known[at, 1] = greatest, h
            ends[least] += 1
        else:
            g = known[at, 1]
            if g != NONE and halves[g, TWIN] == NONE and halves[g, START] == b:
                halves[g, TWIN], halves[h, TWIN] = h, g
            elif g != NONE:  # a third one, or two that run the same way
                if halves[g, TWIN] != NONE:
                    halves[halves[g, TWIN], TWIN] = NONE
                halves[g, TWIN] = known[at, 1] = NONE
    leaving, kinds = _fans(halves, vertices)
    return halves, leaving, kinds


@compiled
def _fans(halves: Halves, vertices: int) -> tuple[Numbers, Marks]:
    leaving = np.full(vertices, NONE, np.int32)
    corners = np.zeros(vertices, np.int32)
    kinds = np.zeros(vertices, np.uint8)
    for h in range(len(halves)):
        v = halves[h, START]
        corners[v] += 1
        if leaving[v] == NONE or halves[h, TWIN] == NONE:
            leaving[v] = h
        if halves[h, TWIN] == NONE or halves[precede(h), TWIN] == NONE:
            kinds[v] = RIM
    for v in range(vertices):
        h, turned = leaving[v], 0
        if h == NONE:
            kinds[v] = TANGLED
            continue
        while True:
            turned += 1
            h = halves[precede(h), TWIN]
            if h == NONE or h == leaving[v] or turned > corners[v]:
                break
        is_fan = h == NONE and halves[leaving[v], TWIN] == NONE
        if turned != corners[v] or (kinds[v] == RIM) != is_fan:
            kinds[v] = TANGLED
    return leaving, kinds


@compiled
def collapse(halves: Halves, leaving: Numbers, h: int, ring: Numbers, number: int) -> None:
    """Pull the INNER vertex where a half-edge starts, with these leaving it, onto the one where it ends; two faces go.

    These keep their place in the arrays, and start at NONE.
    """
    g = halves[h, TWIN]
    u, v = halves[h, START], halves[g, START]
    behind, before = follow(h), precede(h)
    over, under = follow(g), precede(g)
    a, b = halves[before, START], halves[under, START]
    for i in range(number):
        halves[ring[i], START] = v
    left, right = halves[behind, TWIN], halves[before, TWIN]
    near, far = halves[over, TWIN], halves[under, TWIN]
    halves[right, TWIN] = left
    if left != NONE:
        halves[left, TWIN] = right
    halves[near, TWIN] = far
    if far != NONE:
        halves[far, TWIN] = near
    if leaving[v] == behind or leaving[v] == g:
        leaving[v] = right
    if leaving[a] == before:
        leaving[a] = left
    if leaving[b] == under:
        leaving[b] = near
    leaving[u] = NONE
    halves[h, START] = halves[behind, START] = halves[before, START] = NONE
    halves[g, START] = halves[over, START] = halves[under, START] = NONE
