"""Where loops put the arrays that they need on the way: in memory or, where these are too large for it, in a file.

A scratch is an array of whole numbers: none at all means memory. Any other is a stack of arrays, of which the first number
says how much is in use; whoever made it has mapped it to a file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Scratch = NDArray[np.int64]
Array = NDArray[Any]  # Any: of whatever type the caller has said

IN_MEMORY: Scratch = np.empty(0, np.int64)
WORD = 8  # bytes


@compiled
def longs(scratch: Scratch, count: int) -> NDArray[np.int64]:
    """An array whose values are not set, as all that follow."""
    if len(scratch) == 0:
        return np.empty(count, np.int64)
    start = scratch[0]
    if start + count > len(scratch):
        raise MemoryError("a scratch file is smaller than what is put into it")
    scratch[0] = start + count
    return scratch[start : start + count]


@compiled
def doubles(scratch: Scratch, count: int) -> NDArray[np.float64]:
    return longs(scratch, count).view(np.float64)


@compiled
def keys_for(scratch: Scratch, count: int) -> NDArray[np.uint64]:
    return longs(scratch, count).view(np.uint64)


@compiled
def floats(scratch: Scratch, count: int) -> NDArray[np.float32]:
    return longs(scratch, (count + 1) // 2).view(np.float32)[:count]


@compiled
def ints(scratch: Scratch, count: int) -> NDArray[np.int32]:
    return longs(scratch, (count + 1) // 2).view(np.int32)[:count]


@compiled
def pairs(scratch: Scratch, count: int) -> NDArray[np.uint32]:
    """Rows of two."""
    return longs(scratch, count).view(np.uint32).reshape(count, 2)


@compiled
def flags(scratch: Scratch, count: int, value: bool) -> NDArray[np.bool_]:
    """An array of one value."""
    made = longs(scratch, (count + 7) // 8).view(np.bool_)[:count]
    made[:] = value
    return made


@compiled
def numbered(scratch: Scratch, count: int) -> NDArray[np.int64]:
    """The numbers from 0 on."""
    made = longs(scratch, count)
    for n in range(count):
        made[n] = n
    return made


def rows(scratch: Scratch, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array of any shape and type, for those that are not compiled."""
    if not len(scratch):
        return np.empty(shape, dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return longs(scratch, -(-size // WORD)).view(np.uint8)[:size].view(dtype).reshape(shape)


@compiled
def in_use(scratch: Scratch) -> int:
    """How much of a stack is in use: what `give_back` wants to know."""
    return int(scratch[0]) if len(scratch) else 0


@compiled
def give_back(scratch: Scratch, mark: int) -> None:
    """Let go of all arrays that were made since; nobody may use them any more."""
    if len(scratch):
        scratch[0] = mark


@compiled
def stable_order(keys: NDArray[np.uint64], before: NDArray[np.int64], scratch: Scratch) -> NDArray[np.int64]:
    """The places that keys have in order; those of equal keys as `before` has them, which lists all of them."""
    if len(scratch) == 0:
        return before[np.argsort(keys[before], kind="mergesort")]
    return _by_digits(keys, before, scratch)


@compiled
def _by_digits(keys: NDArray[np.uint64], before: NDArray[np.int64], scratch: Scratch) -> NDArray[np.int64]:
    """The same by one digit after the other, so that a file is read from its beginning to its end."""
    bits, count = 11, len(before)
    order = longs(scratch, count)
    mark = in_use(scratch)
    places, other_places = order, longs(scratch, count)
    ordered, other = keys_for(scratch, count), keys_for(scratch, count)
    varies = np.uint64(0)
    for n in range(count):
        places[n], ordered[n] = before[n], keys[before[n]]
        varies |= ordered[n] ^ ordered[0]
    mask = np.uint64((1 << bits) - 1)
    for shift in range(0, 64, bits):
        by = np.uint64(shift)
        if not varies >> by & mask:
            continue
        at = np.zeros(1 << bits, np.int64)
        for n in range(count):
            at[ordered[n] >> by & mask] += 1
        end = 0
        for digit in range(len(at)):
            at[digit], end = end, end + int(at[digit])
        for n in range(count):
            found = ordered[n] >> by & mask
            other_places[at[found]], other[at[found]] = places[n], ordered[n]
            at[found] += 1
        places, other_places, ordered, other = other_places, places, other, ordered
    order[:] = places
    give_back(scratch, mark)
    return order


@compiled
def keys_of_floats(values: NDArray[np.floating[Any]], scratch: Scratch) -> NDArray[np.uint64]:
    """Numbers whose order is that of the values, none of which is NaN."""
    words = doubles(scratch, len(values))
    for n in range(len(values)):
        words[n] = values[n] + 0.0  # so that -0 and 0 are the same
    made = words.view(np.uint64)
    for n in range(len(made)):
        made[n] = ~made[n] if made[n] >> np.uint64(63) else made[n] | np.uint64(1 << 63)
    return made
