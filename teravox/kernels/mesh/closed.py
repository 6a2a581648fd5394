"""Says of surfaces whether they are closed, and of which topology."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.surface import Surface

Faces = NDArray[np.uint32]
Counts = NDArray[np.int64]

EDGES, OPEN, BROKEN, VERTICES = 0, 1, 2, 3
NO_VERTEX = np.uint32(0xFFFFFFFF)


def open_edges(surface: Surface) -> int:
    """The number of edges that have one face only."""
    return int(_count(surface.faces, len(surface.vertices))[OPEN])


def is_manifold(surface: Surface) -> bool:
    """Whether each edge has two faces that agree on the outside and lie not on each other: it encloses a volume."""
    counts = _count(surface.faces, len(surface.vertices))
    return bool(counts[OPEN] == 0 and counts[BROKEN] == 0)


def euler(surface: Surface) -> int:
    """The Euler number: vertices - edges + faces, of the vertices that faces use."""
    counts = _count(surface.faces, len(surface.vertices))
    return int(counts[VERTICES] - counts[EDGES]) + len(surface.faces)


def volume(surface: Surface) -> float:
    """The volume that a closed surface encloses, in voxels; negative where its outside is inside."""
    if surface.is_empty:
        return 0.0
    return float(_volume(surface.vertices, surface.faces))


@compiled
def _count(faces: Faces, vertices: int) -> Counts:
    """The edges, those with one face, those with two that disagree or with more, and the vertices in use."""
    starts = np.zeros(vertices + 1, np.int64)
    counts = np.zeros(4, np.int64)
    for f in range(len(faces)):
        for k in range(3):
            starts[faces[f, k] + np.uint32(1)] += 1
    for v in range(vertices):
        counts[VERTICES] += starts[v + 1] > 0
        starts[v + 1] += starts[v]
    ends = starts.copy()
    nexts = np.empty(3 * len(faces), np.uint32)  # the corners of each vertex: who comes after it in the face, ...
    thirds = np.empty(3 * len(faces), np.uint32)  # ... and who after that
    for f in range(len(faces)):
        for k in range(3):
            v = faces[f, k]
            nexts[ends[v]] = faces[f, (k + 1) % 3]
            thirds[ends[v]] = faces[f, (k + 2) % 3]
            ends[v] += 1
    for v in range(vertices):
        first, last = starts[v], starts[v + 1]
        if last - first == 2 and nexts[first] == thirds[first + 1] and nexts[first + 1] == thirds[first]:
            counts[BROKEN] += 1  # two faces on each other
        _sort(nexts[first:last])
        _sort(thirds[first:last])
        i = j = first
        while i < last or j < last:
            w = min(nexts[i] if i < last else NO_VERTEX, thirds[j] if j < last else NO_VERTEX)
            leaving, arriving = i, j
            while i < last and nexts[i] == w:
                i += 1
            while j < last and thirds[j] == w:
                j += 1
            leaving, arriving = i - leaving, j - arriving
            if v < w:
                counts[EDGES] += 1
                counts[OPEN] += leaving + arriving == 1
                counts[BROKEN] += leaving > 1 or arriving > 1
    return counts


@compiled
def _sort(numbers: Faces) -> None:
    if len(numbers) > 64:
        numbers.sort()
        return
    for i in range(1, len(numbers)):
        number, j = numbers[i], i
        while j > 0 and numbers[j - 1] > number:
            numbers[j] = numbers[j - 1]
            j -= 1
        numbers[j] = number


@compiled
def _volume(vertices: NDArray[np.int32], faces: Faces) -> float:
    total = 0.0
    low = vertices[0].astype(np.float64)
    for f in range(len(faces)):
        a = vertices[faces[f, 0]] - low
        b = vertices[faces[f, 1]] - low
        c = vertices[faces[f, 2]] - low
        total += a[0] * (b[1] * c[2] - b[2] * c[1])
        total += a[1] * (b[2] * c[0] - b[0] * c[2])
        total += a[2] * (b[0] * c[1] - b[1] * c[0])
    return total / 48
