"""Makes one skeleton of the fragments of a label: equal voxels become one vertex."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import IN_MEMORY, Scratch, floats, ints, keys_for, longs, numbered, rows, stable_order
from teravox.kernels.skeleton.branches import in_order
from teravox.kernels.skeleton.skeleton import Edges, Skeleton, Values, Vertices

AT_ONCE = 1 << 16  # runs, of which attributes are read together
LOWEST = -(2**31)  # of all coordinates
SHARED = -1  # the piece of vertices that lie in several


class Loose(NamedTuple):
    """Fragments one after the other, as they come."""

    skeleton: Skeleton
    owner: NDArray[np.int32]  # by vertex the fragment that it comes from


class Welded(NamedTuple):
    """A skeleton whose vertices and edges are in order, each once."""

    skeleton: Skeleton
    piece: NDArray[np.int32]  # by vertex the fragment that it comes from, or SHARED


def weld(fragments: Sequence[Skeleton]) -> Welded:
    """All fragments as one skeleton, whatever their order."""
    vertices, edges = (sum(len(fragment[at]) for fragment in fragments) for at in (0, 1))
    return weld_loose(gather(fragments, vertices, edges))


def gather(fragments: Iterable[Skeleton], vertices: int, edges: int, scratch: Scratch = IN_MEMORY) -> Loose:
    """Fragments that have so many vertices and edges together; each is asked for when the one before it is there."""
    places = rows(scratch, (vertices, 3), np.dtype(np.int32))
    pairs = rows(scratch, (edges, 2), np.dtype(np.uint32))
    radius = rows(scratch, (vertices,), np.dtype(np.float32))
    owner = rows(scratch, (vertices,), np.dtype(np.int32))
    attributes: dict[str, Values] = {}
    v = e = 0
    for number, fragment in enumerate(fragments):
        if not number:
            attributes = {
                name: rows(scratch, (vertices, *values.shape[1:]), values.dtype)
                for name, values in fragment.attributes.items()
            }
        v_end, e_end = v + len(fragment.vertices), e + len(fragment.edges)
        places[v:v_end], radius[v:v_end], owner[v:v_end] = fragment.vertices, fragment.radius, number
        pairs[e:e_end] = fragment.edges + np.uint32(v)
        for name, values in attributes.items():
            values[v:v_end] = fragment.attributes[name]
        v, e = v_end, e_end
    return Loose(Skeleton(places, pairs, radius, attributes), owner)


def weld_loose(loose: Loose, scratch: Scratch = IN_MEMORY) -> Welded:
    """The fragments as one skeleton.

    Of vertices that become one, the larger radius is kept, and the larger value of every other attribute: what forge
    says of a value that it could not measure is below all that it can measure.
    """
    vertices, edges, radius, attributes = loose.skeleton
    runs = _equal_runs(vertices, scratch)
    order, begins = _equal_runs_of_far(vertices, scratch) if runs is None else runs
    kept, largest, piece = _join_runs(order, begins, vertices, radius, loose.owner, scratch)
    once = edges_once(edges, _places(order, begins, scratch), scratch)
    largests = {name: _largest(values, order, begins, scratch) for name, values in attributes.items()}
    return Welded(Skeleton(kept, once, largest, largests), piece)


@compiled
def _equal_runs(vertices: Vertices, scratch: Scratch) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
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
    keys = keys_for(scratch, len(vertices))
    for v in range(len(vertices)):
        key = np.uint64(0)
        for axis in range(2, -1, -1):
            key = key << np.uint64(bits[axis]) | np.uint64(vertices[v, axis] - low[axis])
        keys[v] = key
    order = stable_order(keys, numbered(scratch, len(keys)), scratch)
    begins = longs(scratch, len(order))
    count = 0
    for at in range(len(order)):
        if at == 0 or keys[order[at]] != keys[order[at - 1]]:
            begins[count] = at
            count += 1
    return order, begins[:count]


@compiled
def _equal_runs_of_far(vertices: Vertices, scratch: Scratch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same of vertices that lie anywhere."""
    order, keys = numbered(scratch, len(vertices)), keys_for(scratch, len(vertices))
    for axis in range(3):
        for v in range(len(vertices)):
            keys[v] = np.uint64(np.int64(vertices[v, axis]) - np.int64(LOWEST))
        order = stable_order(keys, order, scratch)
    begins = longs(scratch, len(order))
    count = 0
    for at in range(len(order)):
        differs = at == 0
        for axis in range(3):
            differs |= vertices[order[at], axis] != vertices[order[at - 1], axis]
        if differs:
            begins[count] = at
            count += 1
    return order, begins[:count]


@compiled
def _join_runs(
    order: NDArray[np.int64],
    begins: NDArray[np.int64],
    vertices: Vertices,
    radius: NDArray[np.float32],
    owner: NDArray[np.int32],
    scratch: Scratch,
) -> tuple[Vertices, NDArray[np.float32], NDArray[np.int32]]:
    """Of each run the vertex, its largest radius, and its piece."""
    kept = ints(scratch, 3 * len(begins)).reshape(-1, 3)
    largest, piece = floats(scratch, len(begins)), ints(scratch, len(begins))
    for run in range(len(begins)):
        first = begins[run]
        end = begins[run + 1] if run + 1 < len(begins) else len(order)
        for axis in range(3):
            kept[run, axis] = vertices[order[first], axis]
        largest[run], piece[run] = radius[order[first]], owner[order[first]]
        for at in range(first + 1, end):
            largest[run] = max(largest[run], radius[order[at]])
            if owner[order[at]] != owner[order[first]]:
                piece[run] = SHARED
    return kept, largest, piece


@compiled
def _places(order: NDArray[np.int64], begins: NDArray[np.int64], scratch: Scratch) -> NDArray[np.int64]:
    """The run of each vertex."""
    place = longs(scratch, len(order))
    for run in range(len(begins)):
        end = begins[run + 1] if run + 1 < len(begins) else len(order)
        for at in range(begins[run], end):
            place[order[at]] = run
    return place


@compiled
def edges_once(edges: Edges, place: NDArray[np.int64], scratch: Scratch) -> Edges:
    """The edges where each vertex has become another: from the lower one, in order, each once; none from one to itself."""
    moved = longs(scratch, 2 * len(edges)).reshape(-1, 2)
    count = 0
    for e in range(len(edges)):
        a, b = place[edges[e, 0]], place[edges[e, 1]]
        if a != b:
            moved[count, 0], moved[count, 1] = a, b
            count += 1
    ordered = in_order(moved[:count], scratch)
    count = 0
    for e in range(len(ordered)):
        if e == 0 or ordered[e, 0] != ordered[e - 1, 0] or ordered[e, 1] != ordered[e - 1, 1]:
            ordered[count] = ordered[e]
            count += 1
    return ordered[:count]


def _largest(values: Values, order: NDArray[np.int64], begins: NDArray[np.int64], scratch: Scratch) -> Values:
    """The largest of each run, row by row."""
    largest = rows(scratch, (len(begins), *values.shape[1:]), values.dtype)
    for first in range(0, len(begins), AT_ONCE):
        last = min(first + AT_ONCE, len(begins))
        start, stop = begins[first], begins[last] if last < len(begins) else len(order)
        np.fmax.reduceat(values[order[start:stop]], begins[first:last] - start, axis=0, out=largest[first:last])
    return largest
