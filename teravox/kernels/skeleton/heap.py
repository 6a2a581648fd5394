"""A heap of numbered things, of which the one with the least key, and among equals of the least number, comes first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled


@compiled
def push(keys: NDArray[np.float64], things: NDArray[np.int64], size: int, key: float, thing: int) -> int:
    """Add a thing to the heap in the first `size` places of the arrays, which have room for it; its new size."""
    at = size
    while at > 0:
        above = (at - 1) // 2
        if keys[above] < key or (keys[above] == key and things[above] <= thing):
            break
        keys[at], things[at] = keys[above], things[above]
        at = above
    keys[at], things[at] = key, thing
    return size + 1


@compiled
def pop(keys: NDArray[np.float64], things: NDArray[np.int64], size: int) -> int:
    """Move the first thing of a heap that is not empty to its last place, behind the heap that is left; its new size."""
    size -= 1
    first_key, first = keys[0], things[0]
    key, thing = keys[size], things[size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and (
            keys[below + 1] < keys[below] or (keys[below + 1] == keys[below] and things[below + 1] < things[below])
        ):
            below += 1
        if key < keys[below] or (key == keys[below] and thing <= things[below]):
            break
        keys[at], things[at] = keys[below], things[below]
        at = below
    keys[at], things[at] = key, thing
    keys[size], things[size] = first_key, first
    return size
