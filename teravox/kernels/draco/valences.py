"""Sorts the symbols of a walk by how many edges a reader still waits for where it stands, by which they can be guessed.

On an even surface nearly all symbols of a kind are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.draco.breaking import END, FORK, LEFT_SEEN, RIGHT_SEEN, Walk
from teravox.kernels.draco.corners import Corners, Numbers, left_of, right_of
from teravox.kernels.draco.output import Bytes, put_number
from teravox.kernels.draco.symbols import put_values
from teravox.kernels.mesh.half_edges import NONE, START, Halves, follow, precede

LEAST, MOST = 2, 7  # valences that are told apart
NAMES = np.array([0, 1, 0, 2, 0, 3, 0, 4], np.int32)  # by symbol


@compiled
def put_by_valence(out: Bytes, at: int, corners: Corners, walk: Walk) -> int:
    """Write the symbols; a reader knows the last one."""
    kinds = _find_valences(corners, walk)
    some = np.empty(len(kinds), np.int32)
    for kind in range(MOST - LEAST + 1):
        count = 0
        for i in range(len(kinds) - 1):
            if kinds[i] == kind:
                some[count] = NAMES[walk.symbols[i]]
                count += 1
        at = put_number(out, at, count)
        if count:
            at = put_values(out, at, some[:count], 1)
    return at


@compiled
def _find_valences(corners: Corners, walk: Walk) -> NDArray[np.uint8]:
    """By symbol the valence that a reader knows before it, less the least."""
    halves = corners.halves
    faces = len(halves) // 4
    turns = np.full(faces + 1, NONE, np.int32)  # by face: which symbol is its own; what has none was there before
    for i in range(len(walk.corners)):
        turns[walk.corners[i] >> 2] = i
    vertex = np.empty(len(halves), np.int32)
    valences = np.zeros(len(corners.points) + walk.forks, np.int32)
    for v in range(len(corners.points)):
        valences[v] = corners.is_rim[v]
    for f in range(faces):
        for corner in range(4 * f, 4 * f + 3):
            vertex[corner] = halves[corner, START]
            valences[vertex[corner]] += 1
    kinds = np.zeros(len(walk.symbols), np.uint8)
    count = len(corners.points)
    for i in range(len(walk.symbols)):
        corner, symbol = walk.corners[i], walk.symbols[i]
        v, a, b = vertex[corner], vertex[follow(corner)], vertex[precede(corner)]
        if i:
            kinds[i - 1] = min(max(valences[a], LEAST), MOST) - LEAST
        valences[a] -= 2 if symbol in (LEFT_SEEN, END) else 1
        valences[b] -= 2 if symbol in (RIGHT_SEEN, END) else 1
        if symbol == FORK:
            _divide(halves, corner, turns, i, vertex, valences, count)
            count += 1
        elif symbol in (LEFT_SEEN, RIGHT_SEEN):
            valences[v] -= 1
        elif symbol == END:
            valences[v] -= 2
    return kinds


@compiled
def _divide(halves: Halves, corner: int, turns: Numbers, i: int, vertex: Numbers, valences: Numbers, name: int) -> None:
    """Let the vertex at which a walk forks be two: the one of the faces on its left that are to come, and a new one."""
    other, number = left_of(halves, corner), 0
    while turns[other >> 2] > i:
        number += 1
        other = right_of(halves, other)
    valences[vertex[corner]] = number + 1
    other, number = right_of(halves, corner), 0
    while turns[other >> 2] > i:
        number += 1
        vertex[follow(other)] = name
        other = left_of(halves, other)
    valences[name] = number + 1
