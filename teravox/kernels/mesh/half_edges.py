"""The edges of a surface, each as two halves that know each other, and the collapse of one of them.

Half-edge 4 f + k runs from corner k of face f to the next corner; every fourth number is none. `halves` says the vertex where
each starts (START), and the one that runs the other way (TWIN), or NONE. `leaving` gives each vertex a half-edge that
starts there: at the rim of an open surface the one from which a turn passes all its faces. They are plain arrays, for
which compiled loops are fastest.
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
    return h & ~3 | 9 >> 2 * (h & 3) & 3  # 0, 1, 2 become 1, 2, 0


@compiled
def precede(h: int) -> int:
    """The half-edge before it in the same face."""
    return h & ~3 | 18 >> 2 * (h & 3) & 3  # 0, 1, 2 become 2, 0, 1


@compiled
def connect(faces: NDArray[np.uint32], vertices: int) -> tuple[Halves, Numbers, Marks]:
    """`halves`, `leaving` and what each vertex is: INNER, RIM or TANGLED.

    On edges that have not two faces that agree on the outside, and do not lie on each other, no half-edge has a twin.
    """
    halves, leaving = np.full((4 * len(faces), 2), NONE, np.int32), np.full(vertices, NONE, np.int32)
    last = np.full(
        vertices, NONE, np.int32
    )  # by vertex the last edge of which it is the lesser end: its first half-edge
    known = np.empty(
        (4 * len(faces), 2), np.int32
    )  # by such: the greater end, 2 times, + 1 once it has two; one before
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        for h in range(4 * f, 4 * f + 3):
            halves[h, START] = a
            if leaving[a] == NONE:
                leaving[a] = h
            least, greatest = min(a, b), max(a, b)
            g = last[least]
            while g != NONE and known[g, 0] >> 1 != greatest:
                g = known[g, 1]
            if g == NONE:
                known[h, 0], known[h, 1] = 2 * greatest, last[least]
                last[least] = h
            elif known[g, 0] & 1 == 0:
                known[g, 0] |= 1
                if halves[g, START] == b and halves[precede(g), START] != c:
                    halves[g, TWIN], halves[h, TWIN] = h, g
            elif halves[g, TWIN] != NONE:  # a third one
                halves[halves[g, TWIN], TWIN] = NONE
                halves[g, TWIN] = NONE
            a, b, c = b, c, a
    return halves, leaving, _kinds(halves, leaving)


@compiled
def _kinds(halves: Halves, leaving: Numbers) -> Marks:
    """What each vertex is; `leaving` becomes what it is to be."""
    kinds = np.zeros(len(leaving), np.uint8)
    for f in range(len(halves) // 4):
        for h in range(4 * f, 4 * f + 3):
            if halves[h, TWIN] == NONE:
                leaving[halves[h, START]] = h
                kinds[halves[h, START]] = kinds[halves[follow(h), START]] = RIM
    corners = 0
    for v in range(len(leaving)):
        if leaving[v] == NONE:
            kinds[v] = TANGLED
        else:
            corners += _turn(halves, leaving[v])
    if 4 * corners < 3 * len(halves):  # there is more around some vertices
        more = np.zeros(len(leaving), np.int32)
        for f in range(len(halves) // 4):
            for h in range(4 * f, 4 * f + 3):
                more[halves[h, START]] += 1
        for v in range(len(leaving)):
            if leaving[v] != NONE and _turn(halves, leaving[v]) < more[v]:
                kinds[v] = TANGLED
    return kinds


@compiled
def _turn(halves: Halves, first: int) -> int:
    """How many faces there are around a vertex from one of its half-edges on."""
    h, number = first, 0
    while True:
        number += 1
        h = halves[precede(h), TWIN]
        if h < 0 or h == first:
            return number


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
