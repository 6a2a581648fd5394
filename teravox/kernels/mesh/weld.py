"""Joins surfaces where their vertices are equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.mesh.face_order import sort_faces
from teravox.kernels.mesh.surface import Surface, bounds_of

Vertices = NDArray[np.int32]
Faces = NDArray[np.uint32]
Numbers = NDArray[np.int64]

DIGIT = 11  # bits that one pass of the sort looks at


def weld(parts: Sequence[Surface]) -> Surface:
    """All parts as one surface, equal vertices as one, in canonical order; so the order of the parts changes nothing.

    Vertices are sorted by x, y and z, each face begins with its least vertex, and faces are sorted. Unused vertices and
    faces of less than three vertices are dropped, and of equal faces all but one.
    """
    parts = [part for part in parts if not part.is_empty]
    if not parts:
        return Surface(np.empty((0, 3), np.int32), np.empty((0, 3), np.uint32))
    if len(parts) == 1:
        return canonical(parts[0])
    faces = np.empty((sum(len(part.faces) for part in parts), 3), np.uint32)
    first_face = first_vertex = 0
    for part in parts:
        np.add(part.faces, np.uint32(first_vertex), out=faces[first_face : first_face + len(part.faces)])
        first_face += len(part.faces)
        first_vertex += len(part.vertices)
    return canonical(Surface(np.concatenate([part.vertices for part in parts]), faces))


def canonical(surface: Surface) -> Surface:
    """One surface in canonical order: the same as to weld it alone."""
    vertices = read_only(np.ascontiguousarray(surface.vertices, np.int32))
    faces = read_only(np.ascontiguousarray(surface.faces, np.uint32))
    if len(faces) == 0:
        return Surface(np.empty((0, 3), np.int32), np.empty((0, 3), np.uint32))
    keys, bits = _keys(vertices)
    if bits > 64:  # a surface millions of voxels long on each axis
        order = np.lexsort(vertices.T[::-1])
        changes = (vertices[order[1:]] != vertices[order[:-1]]).any(axis=1)
        keys = np.empty(len(order), np.uint64)
        keys[order] = np.concatenate([[0], np.cumsum(changes)]).astype(np.uint64)
        bits = len(order).bit_length()
    return Surface(*_weld(vertices, faces, keys, bits))


def _keys(vertices: Vertices) -> tuple[NDArray[np.uint64], int]:
    """A number for each vertex, in the order of the vertices, and how many bits of it count."""
    low, high = bounds_of(vertices)
    bits = [one.bit_length() for one in (high - low).tolist()]
    if sum(bits) > 64:
        return np.empty(0, np.uint64), sum(bits)
    return _pack(vertices, low, bits[2], bits[1]), sum(bits)


@compiled
def _pack(vertices: Vertices, low: Numbers, z_bits: int, y_bits: int) -> NDArray[np.uint64]:
    keys = np.empty(len(vertices), np.uint64)
    for i in range(len(vertices)):
        x = np.uint64(vertices[i, 0] - low[0])
        y = np.uint64(vertices[i, 1] - low[1])
        z = np.uint64(vertices[i, 2] - low[2])
        keys[i] = (((x << np.uint64(y_bits)) | y) << np.uint64(z_bits)) | z
    return keys


@compiled
def _order(keys: NDArray[np.uint64], bits: int) -> NDArray[np.uint32]:
    """The order of keys of so many bits."""
    number = len(keys)
    order = np.arange(number).astype(np.uint32)
    ordered = True
    for i in range(1, number):
        if keys[i] < keys[i - 1]:
            ordered = False
            break
    if ordered:
        return order
    other = np.empty(number, np.uint32)
    passes = max(1, (bits + DIGIT - 1) // DIGIT)
    width = (bits + passes - 1) // passes
    starts = np.empty((1 << width) + 1, np.int64)
    mask = np.uint64((1 << width) - 1)
    for turn in range(passes):
        shift = np.uint64(turn * width)
        starts[:] = 0
        for i in range(number):
            starts[((keys[i] >> shift) & mask) + np.uint64(1)] += 1
        for digit in range(1 << width):
            starts[digit + 1] += starts[digit]
        for i in range(number):
            digit = (keys[order[i]] >> shift) & mask
            other[starts[digit]] = order[i]
            starts[digit] += 1
        order, other = other, order
    return order


@compiled
def _weld(vertices: Vertices, faces: Faces, keys: NDArray[np.uint64], bits: int) -> tuple[Vertices, Faces]:
    order = _order(keys, bits)
    unused = np.uint32(0xFFFFFFFF)
    first = np.empty(len(vertices), np.uint32)  # by vertex: the first in order that equals it
    last = order[0]
    for i in range(len(order)):
        if keys[order[i]] != keys[last]:
            last = order[i]
        first[order[i]] = last
    number = np.full(len(vertices), unused, np.uint32)
    kept = 0
    for f in range(len(faces)):
        a, b, c = first[faces[f, 0]], first[faces[f, 1]], first[faces[f, 2]]
        if a != b and c not in (a, b):
            number[a] = number[b] = number[c] = 0
            kept += 1
    used = 0
    for i in range(len(order)):
        if number[order[i]] != unused:
            number[order[i]] = used
            used += 1
    points = np.empty((used, 3), np.int32)
    for i in range(len(order)):
        if number[order[i]] != unused:
            for axis in range(3):
                points[number[order[i]], axis] = vertices[order[i], axis]
    triples = np.empty((kept, 3), np.uint32)
    kept = 0
    for f in range(len(faces)):
        a, b, c = first[faces[f, 0]], first[faces[f, 1]], first[faces[f, 2]]
        if a != b and c not in (a, b):
            a, b, c = number[a], number[b], number[c]
            if b < a and b < c:
                a, b, c = b, c, a
            elif c < a and c < b:
                a, b, c = c, a, b
            triples[kept, 0], triples[kept, 1], triples[kept, 2] = a, b, c
            kept += 1
    return points, _without_doubles(sort_faces(triples, used))


@compiled
def _without_doubles(faces: Faces) -> Faces:
    """Sorted faces, each once; what is given is written over."""
    kept = 0
    for f in range(len(faces)):
        if kept == 0 or (
            faces[f, 0] != faces[kept - 1, 0] or faces[f, 1] != faces[kept - 1, 1] or faces[f, 2] != faces[kept - 1, 2]
        ):
            for k in range(3):
                faces[kept, k] = faces[f, k]
            kept += 1
    return faces[:kept].copy() if kept < len(faces) else faces
