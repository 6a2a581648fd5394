"""The connected pieces of labels, and which labels touch each other, from runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.slots import ROOM, add_key, find_slot, make_slots
from teravox.kernels.stitching.runs import Numbers, Runs
from teravox.kernels.unions import unite

Pairs = NDArray[np.uint32]  # n rows of two labels, the smaller first, sorted


class Pieces(NamedTuple):
    """The pieces of labels: voxels of a label that share a face are one piece of it."""

    labels: NDArray[np.uint32]  # by piece, sorted; those of one label in the order of their first voxels
    of_runs: Numbers  # the piece of each run
    touching: Pairs  # the labels of which two voxels share a face


def find_pieces(runs: Runs, ny: int) -> Pieces:
    """The pieces of a volume with so many rows in a plane."""
    firsts, keys = _connect(runs.starts, runs.ends, runs.labels, runs.rows, ny)
    roots = np.flatnonzero(firsts == np.arange(len(firsts)))
    order = np.argsort(runs.labels[roots], kind="stable")
    places = np.empty(len(firsts), np.int32)
    places[roots[order]] = np.arange(len(roots), dtype=np.int32)
    keys = np.sort(keys)
    touching = np.stack([(keys >> np.uint64(32)).astype(np.uint32), keys.astype(np.uint32)], axis=1)
    return Pieces(runs.labels[roots[order]], places[firsts], touching)


@compiled
def _connect(  # pragma: no cover - compiled
    starts: Numbers, ends: Numbers, labels: NDArray[np.uint32], rows: NDArray[np.int64], ny: int
) -> tuple[Numbers, NDArray[np.uint64]]:
    """By run the first run of its piece; and the keys of labels that touch, with the smaller one in the upper 32 bits."""
    first = np.arange(len(starts)).astype(np.int32)  # of each run, one before it in the same piece
    keys = np.empty(ROOM, np.uint64)
    slots = make_slots(keys[:0], ROOM)
    used = 0
    last = np.uint64(0)
    for row in range(len(rows) - 1):
        low, high = rows[row], rows[row + 1]
        for run in range(low + 1, high):
            if ends[run - 1] == starts[run]:
                key = _key(labels[run - 1], labels[run])
                if key != last and slots[find_slot(keys, slots, key)] < 0:
                    keys, slots = add_key(keys, slots, used, key)
                    used += 1
                last = key
        for before in (row - 1 if row % ny > 0 else -1, row - ny):  # the row before it in y, then in z
            if before < 0:
                continue
            near, stop = rows[before], rows[before + 1]
            for run in range(low, high):
                start, end, label = starts[run], ends[run], labels[run]
                while near < stop and ends[near] <= start:
                    near += 1
                for other in range(near, stop):
                    if starts[other] >= end:
                        break
                    if labels[other] == label:
                        if first[other] != first[run]:
                            unite(first, run, other)
                        continue
                    key = _key(labels[other], label)
                    if key != last and slots[find_slot(keys, slots, key)] < 0:
                        keys, slots = add_key(keys, slots, used, key)
                        used += 1
                    last = key
    for run in range(len(first)):
        first[run] = first[first[run]]
    return first, keys[:used]


@compiled
def _key(a: np.uint32, b: np.uint32) -> np.uint64:  # pragma: no cover - compiled
    return np.uint64(min(a, b)) << np.uint64(32) | np.uint64(max(a, b))
