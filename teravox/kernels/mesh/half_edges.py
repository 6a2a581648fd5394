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
    ends = np.zeros(vertices + 1, np.int64)  # by vertex: where the edges end of which it is the lesser end
    for f in range(len(faces)):
        for k in range(3):
            halves[3 * f + k, START] = faces[f, k]
            ends[min(faces[f, k], faces[f, (k + 1) % 3]) + np.uint32(1)] += 1
    for v in range(vertices):
        ends[v + 1] += ends[v]
    keyed = np.empty(len(halves), np.int64)  # half-edges by their lesser end, each below its greater one
    for h in range(len(halves)):
        a, b = halves[h, START], halves[follow(h), START]
        least = min(a, b)
        keyed[ends[least]] = (np.int64(max(a, b)) << 32) | h
        ends[least] += 1
    for v in range(vertices):
        first, last = 0 if v == 0 else int(ends[v - 1]), int(ends[v])
        _sort(keyed, first, last)
        while first < last:
            beyond = first + 1
            while beyond < last and keyed[beyond] >> 32 == keyed[first] >> 32:
                beyond += 1
            if beyond - first == 2:
                one, other = keyed[first] & 0xFFFFFFFF, keyed[first + 1] & 0xFFFFFFFF
                if halves[one, START] != halves[other, START]:
                    halves[one, TWIN], halves[other, TWIN] = other, one
            first = beyond
    leaving, kinds = _fans(halves, vertices)
    return halves, leaving, kinds


@compiled
def _sort(keyed: NDArray[np.int64], first: int, last: int) -> None:
    if last - first > WIDEST:
        keyed[first:last] = np.sort(keyed[first:last])
        return
    for i in range(first + 1, last):
        key, j = keyed[i], i
        while j > first and keyed[j - 1] > key:
            keyed[j] = keyed[j - 1]
            j -= 1
        keyed[j] = key


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
def look_around(halves: Halves, leaving: Numbers, v: int, ring: Numbers) -> int:
    """Write the half-edges that leave a vertex into `ring`, and say how many; WIDEST + 1 where they are too many."""
    first = leaving[v]
    h, number = first, 0
    while True:
        if number == WIDEST:
            return WIDEST + 1
        ring[number] = h
        number += 1
        h = halves[precede(h), TWIN]
        if h == NONE or h == first:  # noqa: SIM109, PLR1714 - numba looks for no number in a tuple of several types
            return number


@compiled
def collapse(halves: Halves, leaving: Numbers, h: int, ring: Numbers, number: int) -> None:
    """Pull the INNER vertex where a half-edge starts, with this ring, onto the one where it ends; two faces go.

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
