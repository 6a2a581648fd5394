"""Makes one skeleton of the fragments of a label: equal voxels become one vertex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    order, firsts = _equal_runs(vertices)
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(firsts) - 1
    begins = np.flatnonzero(firsts)
    names = fragments[0].attributes
    skeleton = Skeleton(
        vertices[order[begins]],
        _edges_once(place[edges]),
        _largest(radius[order], begins),
        {
            name: _largest(np.concatenate([fragment.attributes[name] for fragment in fragments])[order], begins)
            for name in names
        },
    )
    owner = owner[order]
    piece = owner[begins]
    if len(begins) != len(owner):
        piece = np.where(np.maximum.reduceat(owner, begins) == np.minimum.reduceat(owner, begins), piece, SHARED)
    return Welded(skeleton, piece.astype(np.int32))


def _equal_runs(vertices: Vertices) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The vertices in order of z, y and x, and which of them, in this order, differ from the one before."""
    low = vertices.min(axis=0).astype(np.int64)
    bits = [int(size).bit_length() for size in vertices.max(axis=0).astype(np.int64) - low]
    if sum(bits) > 64:
        order = np.lexsort(vertices.T)
        ordered = vertices[order]
        differs = (ordered[1:] != ordered[:-1]).any(axis=1)
    else:
        x, y, z = (vertices - low).astype(np.uint64).T
        keys = (z << np.uint64(bits[0] + bits[1])) | (y << np.uint64(bits[0])) | x
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        differs = ordered[1:] != ordered[:-1]
    return order, np.concatenate([[True], differs])


def _edges_once(edges: NDArray[np.int64]) -> Edges:
    """Edges from their lower vertices, in order, each once; none from a vertex to itself."""
    low, high = edges.min(axis=1), edges.max(axis=1)
    pairs = np.unique((low << 32 | high)[low != high])
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1).astype(np.uint32)


def _largest(values: Values, begins: NDArray[np.int64]) -> Values:
    """The largest of each run, row by row."""
    if len(begins) == len(values):
        return values
    return np.fmax.reduceat(values, begins, axis=0)
