"""Sums that come out the same in whatever order and in whatever parts they are added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.uint64]
Places = NDArray[np.int64]

UNIT = 1 << 32  # an information is a whole number of bits / UNIT

_BLOCK = 1 << 15  # terms whose sums fit in 64 bits
_HALF = np.uint64(24)  # bits


def informations(voxels: Counts, of: Counts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bits that it takes to say, of so many voxels of a body, in which part of that size they are.

    voxels * log2(of / voxels), as whole bits and as what is left in units.
    """
    bits = voxels * np.log2(of / np.maximum(voxels, np.uint64(1)), where=voxels > 0, out=np.zeros(len(voxels)))
    whole = np.floor(bits)
    return whole.astype(np.int64), np.rint((bits - whole) * UNIT).astype(np.int64)


def sum_informations(voxels: Counts, of: Counts) -> int:
    """All of them together, in units."""
    whole, rest = informations(voxels, of)
    return sum_all(whole) * UNIT + sum_all(rest)


def sum_all(numbers: NDArray[np.int64] | Counts) -> int:
    """Their sum, however large."""
    return sum(int(numbers[at : at + _BLOCK].sum()) for at in range(0, len(numbers), _BLOCK))


def sum_squares(counts: Counts) -> int:
    """The sum of their squares, however large; each is below 2^48."""
    low, high = counts & np.uint64((1 << 24) - 1), counts >> _HALF
    return (sum_all(high * high) << 48) + (sum_all(high * low) << 25) + sum_all(low * low)
