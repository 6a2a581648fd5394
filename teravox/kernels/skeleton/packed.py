"""Packs the numbers of a skeleton into bytes that compress well: differences from row to row, byte by byte of all rows."""

from __future__ import annotations

import json
import struct

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.skeleton import Skeleton, Values

MOST_ATTRIBUTES = 1024  # bytes of a vertex
MOST_HEAD = 1 << 16
_LENGTH = struct.Struct("<I")
_Words = list[tuple[str, str, list[int]]]  # of each attribute: its name, its type, and the shape of a vertex' values


def pack(skeleton: Skeleton) -> bytes:
    """A skeleton as bytes; attributes lie in the order of their names, so that theirs changes nothing."""
    vertices, edges, radius, attributes = skeleton
    names = sorted(attributes)
    words: _Words = [(name, attributes[name].dtype.str, list(attributes[name].shape[1:])) for name in names]
    head = json.dumps(words, separators=(",", ":")).encode()
    values = [np.ascontiguousarray(attributes[name]) for name in names]
    if len(head) > MOST_HEAD or sum(array.nbytes for array in values) > MOST_ATTRIBUTES * len(vertices):
        raise ValueError(f"attributes may have {MOST_ATTRIBUTES:,} bytes of a vertex")
    corners = edges.view(np.int32).copy()
    corners[:, 1] -= corners[:, 0]
    planes = [_planes(vertices), _planes(corners), _bytes(np.ascontiguousarray(radius, "<f4"))]
    return b"".join([_LENGTH.pack(len(head)), head, *(array.tobytes() for array in (*planes, *map(_bytes, values)))])


def unpack(packed: bytes, vertices: int, edges: int) -> Skeleton:
    """The skeleton of so many vertices and edges that was packed; ValueError if it cannot be one."""
    if len(packed) < _LENGTH.size:
        raise ValueError("it ends within its head")
    start = _LENGTH.size + _LENGTH.unpack_from(packed)[0]
    types = [(name, np.dtype(code), tuple(shape)) for name, code, shape in _read_head(packed[_LENGTH.size : start])]
    sizes = [12 * vertices, 8 * edges, 4 * vertices]
    sizes += [kind.itemsize * int(np.prod(shape, dtype=np.int64)) * vertices for _, kind, shape in types]
    if len(packed) != start + sum(sizes):
        raise ValueError(f"it has {len(packed):,} bytes, and {vertices:,} vertices and {edges:,} edges have others")
    ends = start + np.cumsum([0, *sizes])
    parts = [np.frombuffer(packed, np.uint8, size, at) for size, at in zip(sizes, ends[:-1].tolist(), strict=True)]
    corners = _rows(parts[1], edges, 2)
    corners[:, 1] += corners[:, 0]
    found = corners.view(np.uint32)
    if edges and found.max() >= vertices:
        raise ValueError(f"an edge has a vertex {found.max():,} of {vertices:,}")
    values = [_values(part, kind, (vertices, *shape)) for part, (_, kind, shape) in zip(parts[3:], types, strict=True)]
    attributes = {name: array for (name, _, _), array in zip(types, values, strict=True)}
    return Skeleton(_rows(parts[0], vertices, 3), found, _values(parts[2], np.dtype("<f4"), (vertices,)), attributes)


def most_bytes(vertices: int, edges: int) -> int:
    """More than a packed skeleton of so many vertices and edges can have."""
    return _LENGTH.size + MOST_HEAD + (16 + MOST_ATTRIBUTES) * vertices + 8 * edges


def _read_head(head: bytes) -> _Words:
    words = json.loads(head)
    for name, code, shape in words:
        if not isinstance(name, str) or np.dtype(code).kind not in "iuf" or not all(isinstance(n, int) for n in shape):
            raise ValueError(f"{name!r} is no attribute")
    return list(words)


def _planes(rows: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The differences from row to row, small whatever their signs, as planes of bytes: the lowest of the first column first."""
    planes = np.empty(4 * rows.size, np.uint8)
    _split(np.ascontiguousarray(rows), planes)
    return planes


def _rows(planes: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.int32]:
    found = np.empty((rows, columns), np.int32)
    _gather(planes, found)
    return found


@compiled
def _split(rows: NDArray[np.int32], planes: NDArray[np.uint8]) -> None:  # pragma: no cover - compiled
    n, columns = rows.shape
    for column in range(columns):
        before, base = np.int32(0), 4 * n * column
        for row in range(n):
            now = rows[row, column]
            step = np.uint32(now - before)  # modulo 2^32
            before = now
            word = np.uint32((step << np.uint32(1)) ^ (np.uint32(0) - (step >> np.uint32(31))))
            for byte in range(4):
                planes[base + byte * n + row] = np.uint8((word >> np.uint32(8 * byte)) & np.uint32(255))


@compiled
def _gather(planes: NDArray[np.uint8], rows: NDArray[np.int32]) -> None:  # pragma: no cover - compiled
    n, columns = rows.shape
    for column in range(columns):
        before, base = np.int32(0), 4 * n * column
        for row in range(n):
            word = np.uint32(0)
            for byte in range(4):
                word |= np.uint32(planes[base + byte * n + row]) << np.uint32(8 * byte)
            before = np.int32(before + (np.int32(word >> np.uint32(1)) ^ -np.int32(word & np.uint32(1))))
            rows[row, column] = before


def _bytes(array: Values) -> NDArray[np.uint8]:
    """The first bytes of all rows, then the second ones, and so on."""
    width = array.nbytes // len(array) if len(array) else 0
    return array.reshape(-1).view(np.uint8).reshape(len(array), width).T.reshape(-1)


def _values(planes: NDArray[np.uint8], kind: np.dtype[np.generic], shape: tuple[int, ...]) -> Values:
    """The array whose bytes were put into planes."""
    width = planes.size // shape[0] if shape[0] else 0
    return np.ascontiguousarray(planes.reshape(width, shape[0]).T).reshape(-1).view(kind).reshape(shape)
