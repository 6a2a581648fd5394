"""Which labels of two volumes lie on the same voxels, and on how many: counted run by run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Labels = NDArray[np.uint64]


_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, for a hash by multiplication
_OTHER = np.uint64(0xD6E8FEB86659FD93)


def count_pairs(a: Labels, b: Labels, most: int) -> tuple[Labels, Labels, Labels] | None:
    """The pairs of labels of two flat arrays, in the order of their coming, and the voxels of each.

    None if there are more than `most`.
    """
    a, b = read_only(a), read_only(b)
    room = 1024
    pairs = np.empty((room, 3), np.uint64)
    at = used = 0
    while True:
        slots = np.full(2 * room, -1, np.int32)
        _place(pairs[:used], slots)
        at, used = _count_runs(a, b, at, used, slots, pairs)
        if used > most:
            return None
        if at == len(a):
            return pairs[:used, 0], pairs[:used, 1], pairs[:used, 2]
        pairs = np.concatenate([pairs, np.empty_like(pairs)])
        room *= 2


@compiled
def _place(pairs: Labels, slots: NDArray[np.int32]) -> None:
    """Put the numbers of pairs into the slots of an empty table, whose length is a power of two."""
    mask = np.uint64(len(slots) - 1)
    for number in range(len(pairs)):
        slot = (pairs[number, 0] * _SPREAD ^ pairs[number, 1] * _OTHER) >> np.uint64(32) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number


@compiled
def _count_runs(a: Labels, b: Labels, at: int, used: int, slots: NDArray[np.int32], pairs: Labels) -> tuple[int, int]:
    """Count from `at` on until all is counted or a pair comes for which there is no room: where, and how many pairs."""
    mask = np.uint64(len(slots) - 1)
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
        slot = (first * _SPREAD ^ second * _OTHER) >> np.uint64(32) & mask
        while slots[slot] >= 0 and (pairs[slots[slot], 0] != first or pairs[slots[slot], 1] != second):
            slot = (slot + np.uint64(1)) & mask
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
