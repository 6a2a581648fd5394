"""Makes one skeleton of the fragments of a label: equal voxels become one vertex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.branches import in_order
from teravox.kernels.skeleton.skeleton import Edges, Skeleton, Values, Vertices

SHARED = -1  # the piece of vertices that lie in several


class Welded(NamedTuple):
    """A skeleton whose vertices and edges are in order, each once."""

    skeleton: Skeleton
    piece: NDArray[np.int32]  # by vertex the fragment that it comes from, or SHARED


def weld(fragments: Sequence[Skeleton]) -> Welded:
    """All fragments as one skeleton, whatever their order.

    Of vertices that become one, the larger radius is kept, and the larger value of every other attribute: what forge
    says of a value that it could not measure is below all that it can measure.
    """
    vertices = np.concatenate([fragment.vertices for fragment in fragments])
    radius = np.concatenate([fragment.radius for fragment in fragments])
    counts = [len(fragment.vertices) for fragment in fragments]
    owner = np.repeat(np.arange(len(fragments), dtype=np.int32), counts)
    starts = np.cumsum([0, *counts])
    edges = np.concatenate(
        [fragment.edges.astype(np.int64) + start for fragment, start in zip(fragments, starts, strict=False)]
    )
    runs = _equal_runs(vertices)
    order, begins = _equal_runs_of_far(vertices) if runs is None else runs
    kept, largest, piece = _join_runs(order, begins, radius, owner)
    skeleton = Skeleton(
        vertices[kept],
        _edges_once(edges, order, begins),
        largest,
        {
            name: _largest(np.concatenate([fragment.attributes[name] for fragment in fragments])[order], begins)
            for name in fragments[0].attributes
        },
    )
    return Welded(skeleton, piece)


@compiled
def _equal_runs(vertices: Vertices) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The vertices in order of z, y and x, and where in this order those begin that are equal; None if they lie too far apart."""
    low, high = vertices[0].astype(np.int64), vertices[0].astype(np.int64)
    for v in range(len(vertices)):
        for axis in range(3):
            low[axis] = min(low[axis], vertices[v, axis])
            high[axis] = max(high[axis], vertices[v, axis])
    bits = np.zeros(3, np.int64)
    for axis in range(3):
        while high[axis] - low[axis] >> bits[axis]:
            bits[axis] += 1
    if bits.sum() > 64:
        return None
    keys = np.empty(len(vertices), np.uint64)
    for v in range(len(vertices)):
        key = np.uint64(0)
        for axis in range(2, -1, -1):
            key = key << np.uint64(bits[axis]) | np.uint64(vertices[v, axis] - low[axis])
        keys[v] = key
    order = np.argsort(keys, kind="mergesort")
    begins = np.empty(len(order), np.int64)
    count = 0
    for at in range(len(order)):
        if at == 0 or keys[order[at]] != keys[order[at - 1]]:
            begins[count] = at
            count += 1
    return order, begins[:count].copy()


def _equal_runs_of_far(vertices: Vertices) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same of vertices that lie anywhere."""
    order = np.lexsort(vertices.T)
    ordered = vertices[order]
    differs = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, np.flatnonzero(np.concatenate([[True], differs]))


@compiled
def _join_runs(
    order: NDArray[np.int64], begins: NDArray[np.int64], radius: NDArray[np.float32], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int32]]:
    """The first vertex of each run, its largest radius, and its piece."""
    kept = np.empty(len(begins), np.int64)
    largest, piece = np.empty(len(begins), np.float32), np.empty(len(begins), np.int32)
    for run in range(len(begins)):
        first = begins[run]
        end = begins[run + 1] if run + 1 < len(begins) else len(order)
        kept[run] = order[first]
        largest[run], piece[run] = radius[order[first]], owner[order[first]]
        for at in range(first + 1, end):
            largest[run] = max(largest[run], radius[order[at]])
            if owner[order[at]] != owner[order[first]]:
                piece[run] = SHARED
    return kept, largest, piece


@compiled
def _edges_once(edges: NDArray[np.int64], order: NDArray[np.int64], begins: NDArray[np.int64]) -> Edges:
    """Edges between runs, from the lower one, in order, each once; none from a run to itself."""
    place = np.empty(len(order), np.int64)
    for run in range(len(begins)):
        end = begins[run + 1] if run + 1 < len(begins) else len(order)
        for at in range(begins[run], end):
            place[order[at]] = run
    moved = np.empty((len(edges), 2), np.int64)
    count = 0
    for e in range(len(edges)):
        a, b = place[edges[e, 0]], place[edges[e, 1]]
        if a != b:
            moved[count, 0], moved[count, 1] = a, b
            count += 1
    ordered = in_order(moved[:count])
    count = 0
    for e in range(len(ordered)):
        if e == 0 or ordered[e, 0] != ordered[e - 1, 0] or ordered[e, 1] != ordered[e - 1, 1]:
            ordered[count] = ordered[e]
            count += 1
    return ordered[:count].copy()


def _largest(values: Values, begins: NDArray[np.int64]) -> Values:
    """The largest of each run, row by row."""
    if len(begins) == len(values):
        return values
    return np.fmax.reduceat(values, begins, axis=0)
