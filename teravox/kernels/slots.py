"""Finds the place of a number, or of a pair of numbers, among those that came before it: hash tables for compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Keys = NDArray[np.uint64]  # in the order of their coming: labels, or pairs with the first number in the upper 32 bits
Pairs = NDArray[np.uint64]  # rows in the order of their coming, of which the first two columns are a pair
Slots = NDArray[
    np.int32
]  # the places of keys, -1 where none is; a power of two, and twice as many as there is room for keys
ROOM = 1024  # keys for which there is room in the beginning
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, for a hash by multiplication
_OTHER = np.uint64(0xD6E8FEB86659FD93)  # another odd number of that size, without a pattern


@compiled
def find_slot(keys: Keys, slots: Slots, key: np.uint64) -> np.uint64:  # pragma: no cover - compiled
    """The slot that has the place of a key, or the one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    slot = (key * _SPREAD) >> np.uint64(32) & mask
    while slots[slot] >= 0 and keys[slots[slot]] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def make_slots(keys: Keys, room: int) -> Slots:  # pragma: no cover - compiled
    """Slots for so many keys, with the places of those that there are."""
    slots = np.full(2 * room, -1, np.int32)
    for place in range(len(keys)):
        slots[find_slot(keys, slots, keys[place])] = place
    return slots


@compiled
def add_key(keys: Keys, slots: Slots, used: int, key: np.uint64) -> tuple[Keys, Slots]:  # pragma: no cover - compiled
    """Put a new key behind those that are used; where there is no room, both arrays are larger afterwards."""
    if used == len(keys):
        keys = np.concatenate((keys, np.empty_like(keys)))
        slots = make_slots(keys[:used], len(keys))
    slots[find_slot(keys, slots, key)] = used
    keys[used] = key
    return keys, slots


@compiled
def find_pair_slot(  # pragma: no cover - compiled
    pairs: Pairs, slots: Slots, one: np.uint64, other: np.uint64
) -> np.uint64:
    """The slot that has the place of a pair, or the one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    slot = (one * _SPREAD ^ other * _OTHER) >> np.uint64(32) & mask
    while slots[slot] >= 0 and (pairs[slots[slot], 0] != one or pairs[slots[slot], 1] != other):
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def make_pair_slots(pairs: Pairs, room: int) -> Slots:  # pragma: no cover - compiled
    """Slots for so many pairs, with the places of those that there are."""
    slots = np.full(2 * room, -1, np.int32)
    for place in range(len(pairs)):
        slots[find_pair_slot(pairs, slots, pairs[place, 0], pairs[place, 1])] = place
    return slots
