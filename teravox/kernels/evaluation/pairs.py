"""Which labels of two volumes lie on the same voxels, and on how many: counted run by run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.slots import ROOM, Pairs, Slots, find_pair_slot, make_pair_slots

Labels = NDArray[np.uint64]


def count_pairs(a: Labels, b: Labels, most: int) -> tuple[Labels, Labels, Labels] | None:
    """The pairs of labels of two flat arrays, in the order of their coming, and the voxels of each.

    None if there are more than `most`.
    """
    a, b = read_only(a), read_only(b)
    pairs = np.empty((ROOM, 3), np.uint64)
    at = used = 0
    while True:
        slots = make_pair_slots(pairs[:used], len(pairs))
        at, used = _count_runs(a, b, at, used, slots, pairs)
        if used > most:
            return None
        if at == len(a):
            return pairs[:used, 0], pairs[:used, 1], pairs[:used, 2]
        pairs = np.concatenate([pairs, np.empty_like(pairs)])


@compiled
def _count_runs(a: Labels, b: Labels, at: int, used: int, slots: Slots, pairs: Pairs) -> tuple[int, int]:
    """Count from `at` on until all is counted or a pair comes for which there is no room: where, and how many pairs."""
    end = len(a)
    while at < end:
        first = a[at]
        second = b[at]
        begin = at
        at += 1
        while (
            at + 4 <= end
            and (
                (a[at] ^ first)
                | (b[at] ^ second)
                | (a[at + 1] ^ first)
                | (b[at + 1] ^ second)
                | (a[at + 2] ^ first)
                | (b[at + 2] ^ second)
                | (a[at + 3] ^ first)
                | (b[at + 3] ^ second)
            )
            == 0
        ):
            at += 4
        while at < end and a[at] == first and b[at] == second:
            at += 1
        slot = find_pair_slot(pairs, slots, first, second)
        if slots[slot] < 0:
            if used == len(pairs):
                return begin, used
            slots[slot] = used
            pairs[used, 0] = first
            pairs[used, 1] = second
            pairs[used, 2] = 0
            used += 1
        pairs[slots[slot], 2] += np.uint64(at - begin)
    return at, used
