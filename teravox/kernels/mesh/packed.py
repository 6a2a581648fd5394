"""Packs the numbers of a surface into bytes that compress well: differences, byte by byte of all numbers at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.surface import Surface

BYTES = 12  # of a vertex, and of a face


def pack(surface: Surface) -> NDArray[np.uint8]:
    """A surface as bytes: BYTES for each vertex and each face."""
    vertices, faces = surface
    packed = np.empty(BYTES * (len(vertices) + len(faces)), np.uint8)
    _pack(np.ascontiguousarray(vertices, np.int32), packed[: BYTES * len(vertices)])
    corners = np.array(faces, np.int32, order="C")
    _turn(corners, 1)
    _pack(corners, packed[BYTES * len(vertices) :])
    return packed


def unpack(packed: NDArray[np.uint8], vertices: int, faces: int) -> Surface:
    """The surface of so many vertices and faces that was packed; ValueError if it cannot be one."""
    if len(packed) != BYTES * (vertices + faces):
        raise ValueError(f"it has {len(packed):,} bytes for {vertices:,} vertices and {faces:,} faces")
    places, corners = np.empty((vertices, 3), np.int32), np.empty((faces, 3), np.int32)
    _unpack(packed[: BYTES * vertices], places)
    _unpack(packed[BYTES * vertices :], corners)
    _turn(corners, -1)
    found = Surface(places, corners.view(np.uint32))
    if faces and found.faces.max() >= vertices:
        raise ValueError(f"a face has a vertex {found.faces.max():,} of {vertices:,}")
    return found


@compiled
def _turn(faces: NDArray[np.int32], sign: int) -> None:  # pragma: no cover - compiled
    """Let the second and third corner of a face be counted from its first one, or again from 0."""
    for face in range(len(faces)):
        faces[face, 1] -= np.int32(sign) * faces[face, 0]
        faces[face, 2] -= np.int32(sign) * faces[face, 0]


@compiled
def _pack(rows: NDArray[np.int32], out: NDArray[np.uint8]) -> None:  # pragma: no cover - compiled
    """Put the differences from row to row into planes: the lowest bytes of the first column, and so on."""
    n = len(rows)
    for column in range(3):
        before = np.int32(0)
        base = 4 * n * column
        for row in range(n):
            now = rows[row, column]
            step = np.uint32(now - before)  # modulo 2^32
            before = now
            word = np.uint32(
                (step << np.uint32(1)) ^ (np.uint32(0) - (step >> np.uint32(31)))
            )  # small, whatever its sign
            out[base + row] = word & np.uint32(255)
            out[base + n + row] = (word >> np.uint32(8)) & np.uint32(255)
            out[base + 2 * n + row] = (word >> np.uint32(16)) & np.uint32(255)
            out[base + 3 * n + row] = word >> np.uint32(24)


@compiled
def _unpack(packed: NDArray[np.uint8], rows: NDArray[np.int32]) -> None:  # pragma: no cover - compiled
    n = len(rows)
    for column in range(3):
        before = np.int32(0)
        base = 4 * n * column
        for row in range(n):
            word = (
                np.uint32(packed[base + row])
                | np.uint32(packed[base + n + row]) << np.uint32(8)
                | np.uint32(packed[base + 2 * n + row]) << np.uint32(16)
                | np.uint32(packed[base + 3 * n + row]) << np.uint32(24)
            )
            before = np.int32(before + (np.int32(word >> np.uint32(1)) ^ -np.int32(word & np.uint32(1))))
            rows[row, column] = before
