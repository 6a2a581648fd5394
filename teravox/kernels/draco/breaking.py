"""Says how the faces of a surface hang together, face by face: Edgebreaker.

A walk goes from face to face across their edges. At the corner at which it enters a face it writes a symbol, which says
whether the vertex there is new, and else which of the two faces beyond are. A reader takes the symbols in reverse, and
grows the same surface from the last face back to the first one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.draco.corners import Corners, Flags, Numbers, across, left_of, right_of
from teravox.kernels.mesh.half_edges import NONE, START, TWIN, follow, precede

NEW, FORK, LEFT_SEEN, RIGHT_SEEN, END = 0, 1, 3, 5, 7  # symbols: the bit 0, or three of which the lowest is 1
ON_LEFT, ON_RIGHT = 0, 1


class Walk(NamedTuple):
    """All faces in the order in which they were entered, part by part."""

    symbols: NDArray[np.uint8]  # none for the first face of a part without a rim
    forks: int
    middles: Numbers  # by part, the corner of its first face at which the walk begins; NONE where it begins at a rim
    corners: Numbers  # at which faces were entered, symbol by symbol
    meetings: Numbers  # (n, 3): the symbol of a face, that of an earlier fork which lies beside it, and on which side


class _Seen(NamedTuple):
    faces: Flags
    vertices: Flags  # those of the rim are never new
    forks: Numbers  # by face: its symbol, if that is FORK
    stack: Numbers  # corners that are to be entered


@compiled
def walk_over(corners: Corners) -> Walk:
    """The walk over all faces."""
    halves = corners.halves
    faces = len(halves) // 4
    seen = _Seen(
        np.zeros(faces + 1, np.bool_),
        corners.is_rim.copy(),
        np.full(faces + 1, NONE, np.int32),
        np.empty(faces + 1, np.int32),
    )
    seen.faces[faces] = True
    # There is at most one meeting for each fork, and a part for each face; most of this room is never touched.
    walk = Walk(
        np.empty(faces, np.uint8),
        0,
        np.empty(faces, np.int32),
        np.empty(faces, np.int32),
        np.empty((faces, 3), np.int32),
    )
    done = forks = parts = met = 0
    for f in range(faces):
        if seen.faces[f]:
            continue
        start = _at_rim(corners, f)
        walk.middles[parts] = NONE
        if start == NONE:
            walk.middles[parts] = 4 * f + 1
            seen.faces[f] = True
            for k in range(3):
                seen.vertices[halves[4 * f + k, START]] = True
            start = across(halves, 4 * f + 1)
        parts += 1
        done, forks, met = _enter(corners, seen, walk, start, done, forks, met)
    return Walk(walk.symbols[:done], forks, walk.middles[:parts], walk.corners[:done], walk.meetings[:met])


@compiled
def _at_rim(corners: Corners, face: int) -> int:
    """A corner across from an edge of the rim, in this face or at one of its vertices; NONE if there is none."""
    halves = corners.halves
    for corner in range(4 * face, 4 * face + 3):
        if halves[follow(corner), TWIN] == NONE:
            return corner
        if corners.is_rim[halves[corner, START]]:
            other = corner
            while halves[other, TWIN] != NONE:
                other = follow(halves[other, TWIN])
            return precede(other)
    return NONE


@compiled
def _enter(
    corners: Corners, seen: _Seen, walk: Walk, start: int, done: int, forks: int, met: int
) -> tuple[int, int, int]:
    """Go on from a corner to all that can be reached; how many symbols, forks and meetings there are now."""
    halves, stack, symbols = corners.halves, seen.stack, walk.symbols
    has_face, has_vertex = seen.faces, seen.vertices
    stack[0], height = start, 1
    while height:
        height -= 1
        corner = stack[height]
        if has_face[corner >> 2]:
            continue
        while True:
            walk.corners[done] = corner
            has_face[corner >> 2] = True
            v = halves[corner, START]
            right = right_of(halves, corner)
            if not has_vertex[v]:
                has_vertex[v] = True
                symbols[done] = NEW
                done += 1
                corner = right
                continue
            left = left_of(halves, corner)
            has_left, has_right = has_face[left >> 2], has_face[right >> 2]
            if has_right:
                met = _note(walk.meetings, met, done, seen.forks[right >> 2], ON_RIGHT)
            if has_left:
                met = _note(walk.meetings, met, done, seen.forks[left >> 2], ON_LEFT)
            if has_right and has_left:
                symbols[done] = END
                done += 1
                break
            if has_right:
                symbols[done] = RIGHT_SEEN
                corner = left
            elif has_left:
                symbols[done] = LEFT_SEEN
                corner = right
            else:
                symbols[done] = FORK
                seen.forks[corner >> 2] = done
                stack[height] = left
                height += 1
                forks += 1
                corner = right
            done += 1
    return done, forks, met


@compiled
def _note(meetings: Numbers, met: int, symbol: int, fork: int, side: int) -> int:
    """Add a meeting, unless it is not with a fork; how many there are now."""
    if fork == NONE:
        return met
    meetings[met, 0], meetings[met, 1], meetings[met, 2] = symbol, fork, side
    return met + 1
