"""What lies near planes across one axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.floating[Any]]
Counts = NDArray[np.int64]


def count_near(places: Places, planes: Places, width: float) -> Counts:
    """How many places lie no farther than `width` from each plane; all along one axis."""
    ordered = np.sort(places)
    first = np.searchsorted(ordered, planes - width, side="left")
    return np.asarray(np.searchsorted(ordered, planes + width, side="right") - first, np.int64)


def open_edges(faces: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The edges that have one face only, as pairs of vertices."""
    corners = faces.astype(np.int64)
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    pairs.sort(axis=1)
    edges, counts = np.unique(pairs[:, 0] << 32 | pairs[:, 1], return_counts=True)
    edges = edges[counts == 1]
    return np.stack([edges >> 32, edges & 0xFFFFFFFF], axis=1)


def find_ends(vertices: int, edges: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The vertices of a single edge."""
    pairs = np.unique(np.sort(edges.astype(np.int64), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.asarray(np.flatnonzero(np.bincount(pairs.ravel(), minlength=vertices) == 1), np.int64)
