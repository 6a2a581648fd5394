"""Foretells where each vertex is by those that a reader knows before it, and says how far off that is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.draco.breaking import Walk
from teravox.kernels.draco.corners import Corners, Flags, Numbers, across, left_of, right_of
from teravox.kernels.mesh.half_edges import NONE, START, follow, precede


class Places(NamedTuple):
    """How far vertices are from where they were expected, in the order in which a reader comes to them."""

    misses: Numbers  # three for each vertex: 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
    low: int  # no coordinate is less
    high: int  # no coordinate is greater


class _Known(NamedTuple):
    """What a reader knows."""

    faces: Flags
    vertices: Flags
    misses: Numbers
    low: int
    high: int


@compiled
def foretell(corners: Corners, walk: Walk) -> Places:
    """A reader goes from the last face to which Edgebreaker came from neighbour to neighbour, and so on from the others."""
    points, faces = corners.points, len(corners.halves) // 4
    low = high = points[0, 0]
    for v in range(len(points)):
        for axis in range(3):
            low, high = min(low, points[v, axis]), max(high, points[v, axis])
    known = _Known(
        np.zeros(faces + 1, np.bool_),
        np.zeros(len(points), np.bool_),
        np.empty(3 * corners.vertices, np.int32),
        low,
        high,
    )
    known.faces[faces] = True
    stack, count, last = np.empty(faces + 1, np.int32), 0, NONE
    for i in range(len(walk.corners) - 1, -1, -1):
        if not known.faces[walk.corners[i] >> 2]:
            count, last = _spread(corners, known, stack, walk.corners[i], count, last)
    for corner in walk.middles:
        if corner != NONE and not known.faces[corner >> 2]:
            count, last = _spread(corners, known, stack, corner, count, last)
    return Places(known.misses, known.low, known.high)


@compiled
def _spread(corners: Corners, known: _Known, stack: Numbers, start: int, count: int, last: int) -> tuple[int, int]:
    """Go on from a corner to all that can be reached; how many vertices are known now, and which was the last."""
    halves, is_rim = corners.halves, corners.is_rim
    is_new = not known.vertices[halves[start, START]]
    corner = start
    for _ in range(3):
        corner = follow(corner)
        v = halves[corner, START]
        if not known.vertices[v]:
            _expect_first(corners, known, corner, last, count)
            last = v
            count += 1
    stack[0], height = start, 1
    if is_new and not is_rim[halves[start, START]]:
        known.faces[start >> 2] = True
        stack[0] = right_of(halves, start)
    while height:
        height -= 1
        corner = stack[height]
        if known.faces[corner >> 2]:
            continue
        while True:
            known.faces[corner >> 2] = True
            v = halves[corner, START]
            if not known.vertices[v]:
                _expect_fourth(corners, known, across(halves, corner), v, count)
                last = v
                count += 1
                if not is_rim[v]:
                    corner = right_of(halves, corner)
                    continue
            right, left = right_of(halves, corner), left_of(halves, corner)
            if known.faces[right >> 2]:
                if known.faces[left >> 2]:
                    break
                corner = left
            else:
                if not known.faces[left >> 2]:
                    stack[height] = left
                    height += 1
                corner = right
    return count, last


@compiled
def _expect_first(corners: Corners, known: _Known, corner: int, last: int, count: int) -> None:
    """Expect a vertex in a face to which no other one led: at the place of the last vertex, if there is nothing better."""
    halves, points = corners.halves, corners.points
    v, other = halves[corner, START], across(halves, corner)
    if other >= 0:
        a, b, c = halves[follow(other), START], halves[precede(other), START], halves[other, START]
        if known.vertices[a] and known.vertices[b] and known.vertices[c]:
            _expect_fourth(corners, known, other, v, count)
            return
    for axis in range(3):
        guess = points[last, axis] if last != NONE else known.low
        _miss(known, 3 * count + axis, points[v, axis], guess)
    known.vertices[v] = True


@compiled
def _expect_fourth(corners: Corners, known: _Known, corner: int, v: int, count: int) -> None:
    """Expect a vertex where it makes a parallelogram with the face in which a corner is, beyond the edge."""
    halves, points = corners.halves, corners.points
    a, b, c = halves[follow(corner), START], halves[precede(corner), START], halves[corner, START]
    for axis in range(3):
        guess = points[a, axis] + points[b, axis] - points[c, axis]
        _miss(known, 3 * count + axis, points[v, axis], guess)
    known.vertices[v] = True


@compiled
def _miss(known: _Known, at: int, found: int, guess: int) -> None:
    """Write how far off a guess is, the nearer way around from the greatest coordinate to the least."""
    around = known.high - known.low + 1
    miss = found - min(max(guess, known.low), known.high)
    miss -= around if miss > (around - 1) // 2 else 0
    miss += around if miss < -(around // 2) else 0
    known.misses[at] = miss << 1 ^ miss >> 63
