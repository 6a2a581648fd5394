"""A queue of voxels by cost, in a ring of buckets; bits say which of them are empty, so that the next is found at once.

All that waits must lie within one turn of the ring.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.pool import NONE

Words = NDArray[np.uint64]

BUCKETS = 1 << 14
BITS = 6  # of a place in a word
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)


def _table() -> NDArray[np.int64]:
    table = np.empty(64, np.int64)
    for bit in range(64):
        table[(int(DE_BRUIJN) << bit & 0xFFFFFFFFFFFFFFFF) >> 58] = bit
    return table


PLACES = _table()


class Calendar(NamedTuple):
    heads: NDArray[np.int32]  # by bucket the first in its chain
    full: Words  # a bit for each bucket
    words: Words  # a bit for each word of `full`


@compiled
def make_calendar() -> Calendar:
    """One where nothing waits."""
    return Calendar(
        np.full(BUCKETS, NONE, np.int32), np.zeros(BUCKETS >> BITS, np.uint64), np.zeros(BUCKETS >> 2 * BITS, np.uint64)
    )


@compiled
def mark(full: Words, words: Words, bucket: int) -> None:
    """Say that something waits in a bucket."""
    full[bucket >> BITS] |= np.uint64(1) << np.uint64(bucket & 63)
    words[bucket >> 2 * BITS] |= np.uint64(1) << np.uint64(bucket >> BITS & 63)


@compiled
def clear(full: Words, words: Words, bucket: int) -> None:
    """Say that nothing waits in a bucket."""
    full[bucket >> BITS] &= ~(np.uint64(1) << np.uint64(bucket & 63))
    if full[bucket >> BITS] == 0:
        words[bucket >> 2 * BITS] &= ~(np.uint64(1) << np.uint64(bucket >> BITS & 63))


@compiled
def clear_all(calendar: Calendar) -> None:
    """Let nothing wait."""
    heads, full, words = calendar
    for group in range(len(words)):
        while words[group]:
            word = (group << BITS) + _lowest(words[group])
            bucket = (word << BITS) + _lowest(full[word])
            heads[bucket] = NONE
            clear(full, words, bucket)


@compiled
def next_full(full: Words, words: Words, bucket: int) -> int:
    """The first bucket from this one on, around the ring, where something waits; there must be one."""
    word = bucket >> BITS
    rest = full[word] >> np.uint64(bucket & 63)
    if rest:
        return bucket + _lowest(rest)
    at = word + 1 & (BUCKETS >> BITS) - 1
    group = at >> BITS
    rest = words[group] >> np.uint64(at & 63) << np.uint64(at & 63)
    while not rest:
        group = group + 1 & (BUCKETS >> 2 * BITS) - 1
        rest = words[group]
    word = (group << BITS) + _lowest(rest)
    return (word << BITS) + _lowest(full[word])


@compiled
def _lowest(word: np.uint64) -> int:
    return int(PLACES[((word & (~word + np.uint64(1))) * DE_BRUIJN) >> np.uint64(58)])
