"""Cuts a surface into the cells of a grid whose planes no face crosses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.mesh.surface import Surface, bounds_of

Vec = tuple[int, int, int]


def cut(surface: Surface, origin: Vec, cell: Vec) -> Iterator[tuple[Vec, Surface]]:
    """What of a surface lies in each cell, in half voxels as before; vertices in the planes between cells come in several."""
    if surface.is_empty:
        return
    low, high = bounds_of(read_only(surface.vertices))
    first = (low - origin) // cell
    count = np.maximum((high - origin - 1) // cell - first + 1, 1)
    if (count == 1).all():
        yield _triple(first), surface
        return
    start = np.asarray(origin, np.int64) + first * cell
    numbers = _cell_of_faces(surface.vertices, surface.faces, start, np.asarray(cell, np.int64), count)
    order = np.argsort(numbers, kind="stable")
    found, begins = np.unique(numbers[order], return_index=True)
    for number, some in zip(found.tolist(), np.split(order, begins[1:]), strict=True):
        rest, x = divmod(number, int(count[0]))
        z, y = divmod(rest, int(count[1]))
        yield _triple(np.array([x, y, z]) + first), pick(surface, some)


def pick(surface: Surface, faces: NDArray[np.intp]) -> Surface:
    """The surface of some of the faces, its vertices in the order that they had."""
    return Surface(*_pick(read_only(surface.vertices), read_only(surface.faces), faces))


@compiled
def _pick(
    vertices: NDArray[np.int32], faces: NDArray[np.uint32], some: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:  # pragma: no cover - compiled
    low, high = len(vertices), 0
    for face in some:
        for k in range(3):
            v = int(faces[face, k])
            low, high = min(low, v), max(high, v + 1)
    place = np.zeros(max(high - low, 0), np.uint32)
    for face in some:
        for k in range(3):
            place[faces[face, k] - low] = 1
    count = place.sum()
    kept, corners = np.empty((count, 3), np.int32), np.empty((len(some), 3), np.uint32)
    count = 0
    for i in range(len(place)):
        if place[i]:
            for axis in range(3):
                kept[count, axis] = vertices[low + i, axis]
            place[i] = count
            count += 1
    for i in range(len(some)):
        for k in range(3):
            corners[i, k] = place[faces[some[i], k] - low]
    return kept, corners


def _triple(numbers: NDArray[np.int64]) -> Vec:
    x, y, z = numbers.tolist()
    return (x, y, z)


@compiled
def _cell_of_faces(
    vertices: NDArray[np.int32],
    faces: NDArray[np.uint32],
    start: NDArray[np.int64],
    cell: NDArray[np.int64],
    count: NDArray[np.int64],
) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """The number of the cell in which the middle of each face lies, x fastest."""
    numbers = np.empty(len(faces), np.int64)
    for face in range(len(faces)):
        number = np.int64(0)
        for axis in (2, 1, 0):
            total = np.int64(0)
            for corner in range(3):
                total += vertices[faces[face, corner], axis]
            at = (total - 3 * start[axis]) // (3 * cell[axis])
            number = number * count[axis] + min(max(at, np.int64(0)), count[axis] - 1)
        numbers[face] = number
    return numbers
