"""Counts the voxels of pieces, and those that two of them share, from runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.slots import ROOM, add_key, find_slot, make_slots
from teravox.kernels.stitching.runs import Numbers, Runs

Counts = NDArray[np.uint32]


class Plane(NamedTuple):
    """A plane of a volume."""

    axis: int
    at: int


class Shared(NamedTuple):
    """The pairs of pieces of two labellings that share voxels, sorted."""

    first: NDArray[np.uint32]  # the piece in the first labelling
    second: NDArray[np.uint32]
    voxels: Counts
    in_plane: Counts  # of these


def count_pieces(runs: Runs, of_runs: Numbers, number: int, nx: int, ny: int, plane: Plane) -> tuple[Counts, Counts]:
    """The voxels of each piece, all and in a plane."""
    lengths = runs.ends - runs.starts
    voxels = np.bincount(of_runs, lengths, number).astype(np.uint32)
    begins, ends = _span(runs.rows, nx, ny, plane)
    inside = np.minimum(runs.ends, ends) - np.maximum(runs.starts, begins)
    return voxels, np.bincount(of_runs, np.maximum(inside, 0), number).astype(np.uint32)


def count_shared(
    low: Runs, low_pieces: Numbers, high: Runs, high_pieces: Numbers, nx: int, ny: int, plane: Plane
) -> Shared:
    """How many voxels each two pieces share, all and in a plane."""
    low_columns = (low.starts, low.ends, low_pieces, low.rows)
    high_columns = (high.starts, high.ends, high_pieces, high.rows)
    keys, counts = _count(*low_columns, *high_columns, nx, ny, *plane)
    order = np.argsort(keys)
    keys, counts = keys[order], counts[order]
    return Shared((keys >> np.uint64(32)).astype(np.uint32), keys.astype(np.uint32), counts[:, 0], counts[:, 1])


def _span(rows: NDArray[np.int64], nx: int, ny: int, plane: Plane) -> tuple[Numbers | int, Numbers | int]:
    """What of x lies in the plane, by run."""
    if plane.axis == 0:
        return plane.at, plane.at + 1
    row = np.arange(len(rows) - 1)
    within = (row % ny if plane.axis == 1 else row // ny) == plane.at
    return 0, np.repeat(np.where(within, nx, 0).astype(np.int32), np.diff(rows))


@compiled
def _count(  # pragma: no cover - compiled
    starts: Numbers,
    ends: Numbers,
    pieces: Numbers,
    rows: NDArray[np.int64],
    high_starts: Numbers,
    high_ends: Numbers,
    high_pieces: Numbers,
    high_rows: NDArray[np.int64],
    nx: int,
    ny: int,
    axis: int,
    plane: int,
) -> tuple[NDArray[np.uint64], Counts]:
    """The keys of pairs, with the first piece in the upper 32 bits, and their voxels, all and in the plane; in no order."""
    keys, counts = np.empty(ROOM, np.uint64), np.zeros((ROOM, 2), np.uint32)
    slots = make_slots(keys[:0], ROOM)
    used = 0
    for row in range(len(rows) - 1):
        begins, stops = 0, 0  # of the plane in this row
        if axis == 0:
            begins, stops = plane, plane + 1
        elif (axis == 1 and row % ny == plane) or (axis == 2 and row // ny == plane):
            stops = nx
        near, stop = high_rows[row], high_rows[row + 1]
        for run in range(rows[row], rows[row + 1]):
            start, end = starts[run], ends[run]
            piece = np.uint64(pieces[run]) << np.uint64(32)
            while near < stop and high_ends[near] <= start:
                near += 1
            for other in range(near, stop):
                if high_starts[other] >= end:
                    break
                key = piece | np.uint64(high_pieces[other])
                place = slots[find_slot(keys, slots, key)]
                if place < 0:
                    place = used
                    keys, slots = add_key(keys, slots, used, key)
                    if len(keys) > len(counts):
                        counts = np.concatenate((counts, np.zeros_like(counts)))
                    used += 1
                first, last = max(start, high_starts[other]), min(end, high_ends[other])
                counts[place, 0] += last - first
                counts[place, 1] += max(0, min(last, stops) - max(first, begins))
    return keys[:used], counts[:used]
