"""A skeleton: the centre lines of a label, as voxels joined by edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vertices = NDArray[np.int32]  # (n, 3): voxels by x, y and z; the vertex is the voxel's centre
Edges = NDArray[np.uint32]  # (m, 2): rows of two vertices
Values = NDArray[Any]  # (n,) or (n, k), of whatever an attribute is made of


class Skeleton(NamedTuple):
    """Vertices and edges, and what is known of each vertex."""

    vertices: Vertices
    edges: Edges
    radius: NDArray[np.float32]  # by vertex the distance to the label's boundary, in nanometres
    attributes: dict[str, Values]  # by name, the rest: a row for each vertex

    def moved(self, by: Sequence[int]) -> Skeleton:
        """The same skeleton where each voxel is so many voxels further."""
        return self._replace(vertices=self.vertices + np.asarray(by, np.int32))

    def taken(self, rows: NDArray[np.integer[Any]]) -> Skeleton:
        """These vertices with what is known of them, in this order, without edges."""
        attributes = {name: values[rows] for name, values in self.attributes.items()}
        return Skeleton(self.vertices[rows], np.empty((0, 2), np.uint32), self.radius[rows], attributes)

    def canonical(self) -> Skeleton:
        """The same skeleton with vertices by z, y and x, and each edge once, from its lower vertex, in order."""
        rows = np.lexsort(self.vertices.T)
        place = np.empty(len(rows), np.uint32)
        place[rows] = np.arange(len(rows), dtype=np.uint32)
        edges = np.sort(place[self.edges], axis=1).astype(np.uint64)
        pairs = np.unique(edges[:, 0] << np.uint64(32) | edges[:, 1])
        edges = np.stack([pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)], axis=1)
        return self.taken(rows)._replace(edges=edges.astype(np.uint32))
