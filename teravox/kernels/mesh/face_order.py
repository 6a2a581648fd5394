"""Puts the faces of a surface in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Faces = NDArray[np.uint32]


@compiled
def sort_faces(faces: Faces, vertices: int) -> Faces:  # pragma: no cover - compiled
    """Faces that begin with their least vertex, sorted; there are so many vertices."""
    ends = np.zeros(vertices + 1, np.int64)
    for f in range(len(faces)):
        ends[faces[f, 0] + np.uint32(1)] += 1
    for v in range(vertices):
        ends[v + 1] += ends[v]
    starts = ends.copy()
    result = np.empty_like(faces)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        at = ends[a]  # insert it among the few that begin with the same vertex
        while at > starts[a] and (result[at - 1, 1] > b or (result[at - 1, 1] == b and result[at - 1, 2] > c)):
            result[at, 1], result[at, 2] = result[at - 1, 1], result[at - 1, 2]
            at -= 1
        result[at, 1], result[at, 2] = b, c
        result[ends[a], 0] = a
        ends[a] += 1
    return result
