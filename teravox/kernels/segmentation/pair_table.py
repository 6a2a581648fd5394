"""A table of pairs in compiled loops: an array of keys with empty places, in which a pair is found where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Keys = NDArray[np.uint64]  # a power of two of them, 0 for an empty place; at least half of them are empty


@compiled
def key_of(one: int, other: int) -> np.uint64:
    """The key of two different numbers below 2^32, in either order; it is never 0."""
    return np.uint64(min(one, other)) << np.uint64(32) | np.uint64(max(one, other))


@compiled
def place_of(keys: Keys, key: np.uint64) -> int:
    """Where a key is, or the empty place where it would be."""
    at = _home(keys, key)
    while keys[at] != 0 and keys[at] != key:
        at = (at + 1) & (len(keys) - 1)
    return at


@compiled
def take_out(keys: Keys, values: NDArray[Any], key: np.uint64) -> None:  # Any: whatever the keys have
    """Remove a key with its value, and move up those behind it that would not be found any more.

    Where keys have no values, those may be the keys themselves.
    """
    last = len(keys) - 1
    gap = place_of(keys, key)
    at = gap
    keys[gap] = 0
    while True:
        at = (at + 1) & last
        if keys[at] == 0:
            return
        if (at - _home(keys, keys[at])) & last >= (at - gap) & last:
            keys[gap] = keys[at]
            values[gap] = values[at]
            keys[at] = 0
            gap = at


@compiled
def _home(keys: Keys, key: np.uint64) -> int:
    return int((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & (len(keys) - 1)
