"""Writes numbers into an array of bytes; each function says where it ended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Bytes = NDArray[np.uint8]


@compiled
def put_number(out: Bytes, at: int, number: int) -> int:
    """A number of any size: 7 bits a byte, the lowest first."""
    while number > 127:
        out[at] = np.uint8(number & 127 | 128)
        number >>= 7
        at += 1
    out[at] = np.uint8(number)
    return at + 1


@compiled
def put_bytes(out: Bytes, at: int, some: Bytes) -> int:
    """Bytes as they are."""
    for i in range(len(some)):
        out[at + i] = some[i]
    return at + len(some)


@compiled
def put_word(out: Bytes, at: int, number: int) -> int:
    """A number of 32 bits."""
    for k in range(4):
        out[at + k] = np.uint8(number >> 8 * k & 255)
    return at + 4


@compiled
def put_bits(out: Bytes, at: int, held: int, holds: int, number: int, bits: int) -> tuple[int, int, int]:
    """Up to 32 bits, the lowest first, after `holds` bits that wait in `held`; where it ended, and what waits now."""
    held |= number << holds
    holds += bits
    while holds >= 8:
        out[at] = np.uint8(held & 255)
        held >>= 8
        holds -= 8
        at += 1
    return at, held, holds


@compiled
def flush_bits(out: Bytes, at: int, held: int, holds: int) -> int:
    """The bits that wait, filled up to a byte."""
    if holds:
        out[at] = np.uint8(held)
        at += 1
    return at
