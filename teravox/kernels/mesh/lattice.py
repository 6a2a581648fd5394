"""Puts vertices on the lattice of a cell, of 2^bits points along each side, on which meshes are stored."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.surface import Surface

Vec = tuple[int, int, int]


class Lattice(NamedTuple):
    """Points 0 to 2^bits - 1 along a cell: they divide its `cell` half voxels, or there are `points` for each half voxel.

    Where they divide the cell, its faces are at the first and the last point, and its middle planes at 2^(bits - 1).
    """

    bits: int
    cell: Vec
    points: int = 0

    @property
    def last(self) -> int:
        return (1 << self.bits) - 1

    @property
    def keeps_all(self) -> bool:
        """Whether no two places of the grid of half voxels fall on one point."""
        return self.points > 0 or max(self.cell) <= self.last

    def place(self, vertices: NDArray[np.int32], origin: Vec) -> NDArray[np.uint32]:
        """The point nearest to each vertex, in a cell that begins at `origin`."""
        return _place(
            np.ascontiguousarray(vertices),
            np.asarray(origin, np.int64),
            np.asarray(self.cell, np.int64),
            self.last,
            self.points,
        )


def edge_sum(points: NDArray[np.uint32], faces: NDArray[np.uint32], base: NDArray[np.int64]) -> int:
    """A sum over the edges of faces in which two that run between the same places in opposite directions cancel.

    Over all pieces of a closed surface it is 0, modulo 2^64; over others it is not, but for a chance of 2^-64. `base` is
    added to all points.
    """
    return int(_edge_sum(points, faces, base))


def flatten(points: NDArray[np.uint32], faces: NDArray[np.uint32]) -> Surface:
    """Points as one vertex where they are equal, and the faces that still have three."""
    from teravox.kernels.mesh.weld import canonical

    return canonical(Surface(points.astype(np.int32), faces))


@compiled
def _place(
    vertices: NDArray[np.int32], origin: NDArray[np.int64], cell: NDArray[np.int64], last: int, points: int
) -> NDArray[np.uint32]:  # pragma: no cover - compiled
    placed = np.empty(vertices.shape, np.uint32)
    for row in range(len(vertices)):
        for axis in range(3):
            along = np.int64(vertices[row, axis]) - origin[axis]
            if points:
                placed[row, axis] = along * points
            else:
                placed[row, axis] = (2 * along * last + cell[axis]) // (2 * cell[axis])
    return placed


@compiled
def _edge_sum(
    points: NDArray[np.uint32], faces: NDArray[np.uint32], base: NDArray[np.int64]
) -> np.uint64:  # pragma: no cover - compiled
    names = np.empty(len(points), np.uint64)
    for row in range(len(points)):
        name = np.uint64(0x9E3779B97F4A7C15)
        for axis in range(3):
            name = _mix(name ^ np.uint64(np.int64(points[row, axis]) + base[axis]))
        names[row] = name
    total = np.uint64(0)
    for face in range(len(faces)):
        for corner in range(3):
            a = names[faces[face, corner]]
            b = names[faces[face, (corner + 1) % 3]]
            if a < b:
                total += _mix(a + _mix(b))
            elif b < a:
                total -= _mix(b + _mix(a))
    return total


@compiled
def _mix(word: np.uint64) -> np.uint64:  # pragma: no cover - compiled
    """The finalizer of MurmurHash3."""
    word = (word ^ (word >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    word = (word ^ (word >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return word ^ (word >> np.uint64(33))
