"""Joins the fragments of a mesh where their vertices are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vertices = NDArray[Any]  # whole numbers of a lattice, or floats that are equal where they mean the same place
Faces = NDArray[np.uint32]


def glue(parts: Sequence[tuple[Vertices, Faces]]) -> tuple[Vertices, Faces]:
    """One mesh of all parts: equal vertices become one, in the order of their coordinates; faces without area by that go.

    It takes meshes as others made them: what is no clean surface stays as it is.
    """
    parts = [(vertices, faces) for vertices, faces in parts if len(faces)]
    if not parts:
        return np.zeros((0, 3)), np.zeros((0, 3), np.uint32)
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    vertices = np.concatenate([vertices for vertices, _ in parts])
    faces = np.concatenate([faces + start for (_, faces), start in zip(parts, starts[:-1].tolist(), strict=True)])
    order = np.lexsort(vertices.T[::-1])
    ordered = vertices[order]
    is_new = np.ones(len(ordered), bool)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    numbers = np.empty(len(order), np.uint32)
    numbers[order] = np.cumsum(is_new) - 1
    faces = numbers[faces]
    a, b, c = faces.T
    return ordered[is_new], np.ascontiguousarray(faces[(a != b) & (b != c) & (c != a)])
