"""A triangle mesh whose vertices lie on the grid of half voxels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled


class Surface(NamedTuple):
    """Vertices as whole numbers of half voxels, and faces as triples of their indices, counter-clockwise seen from outside.

    The center of voxel i is at 2 i, so a surface between the voxels i and i + 1 has a vertex at 2 i + 1. In voxels, of which
    i covers [i, i + 1), a coordinate h is at (h + 1) / 2.
    """

    vertices: NDArray[np.int32]
    faces: NDArray[np.uint32]

    @property
    def is_empty(self) -> bool:
        return len(self.faces) == 0

    def moved(self, by: tuple[int, int, int]) -> Surface:
        """The same surface elsewhere."""
        return Surface(self.vertices + np.array(by, np.int32), self.faces)


@compiled
def bounds_of(vertices: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest coordinates of vertices, of which there is at least one."""
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for axis in range(3):
        least = greatest = vertices[0, axis]
        for i in range(len(vertices)):
            least, greatest = min(least, vertices[i, axis]), max(greatest, vertices[i, axis])
        low[axis], high[axis] = least, greatest
    return low, high
