"""Fractions as whole numbers in the same order, which a processor finds the smallest and the largest of several times as fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

LAST = np.int32(0x7FFFFFFF)
INFINITE = np.int32(0x7F800000)  # the key of infinity; those beyond it, and below its complement, are no numbers


def keys_of(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """The keys of limits: -0 gets that of 0, so that neither is above it."""
    bits = (values + np.float32(0)).view(np.int32)
    return bits ^ ((bits >> 31) & LAST)


@compiled
def key(bits: np.int32) -> np.int32:
    """The key of the bits of a fraction: of the smaller of two the smaller one."""
    return np.int32(bits ^ ((bits >> np.int32(31)) & LAST))
