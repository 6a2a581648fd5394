"""Codes numbers, in the one of two ways that takes fewer bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.draco.output import Bytes, flush_bits, put_bits
from teravox.kernels.draco.rans import end, push, put_shares, put_sized, share

Numbers = NDArray[np.int32]
BY_LENGTH, BY_VALUE = 0, 1
LENGTHS = 33
LENGTH_BITS = 12
MOST_VALUE = 1 << 18  # beyond which values are not coded by their frequencies


@compiled
def length_of(value: int) -> int:
    """The bits of a number, of which there is at least one."""
    bits = 1
    while value > 1:
        value >>= 1
        bits += 1
    return bits


@compiled
def put_values(out: Bytes, at: int, values: Numbers, together: int) -> int:
    """Write them; so many that follow each other are likely of one length."""
    lengths, by_length = np.empty(len(values) // together, np.uint8), np.zeros(LENGTHS, np.int32)
    greatest = plain = 0
    for i in range(len(lengths)):
        most = values[together * i]
        for k in range(1, together):
            most = max(most, values[together * i + k])
        lengths[i] = length_of(most)
        by_length[lengths[i]] += 1
        greatest = max(greatest, most)
        plain += together * lengths[i]
    used = 0
    for length in range(LENGTHS):
        used += by_length[length] > 0
    cost = plain + 8 * used + _entropy(by_length)
    if greatest // 8 < min(cost, MOST_VALUE // 8):  # the least that a table of values takes
        counts = np.zeros(greatest + 1, np.int32)
        different = _count(values, counts)
        table = 8 * len(different) + greatest // 8
        if table < cost and table + _entropy(counts) < cost:
            different.sort()
            out[at] = BY_VALUE
            return _put_by_value(out, at + 1, values, different, counts)
    out[at] = BY_LENGTH
    return _put_by_length(out, at + 1, values, together, lengths, by_length)


@compiled
def _count(values: Numbers, counts: Numbers) -> Numbers:
    """Count each value; the values that there are."""
    different = np.empty(len(values), np.int32)
    number = 0
    for value in values:
        if counts[value] == 0:
            different[number] = value
            number += 1
        counts[value] += 1
    return different[:number]


@compiled
def _entropy(frequencies: Numbers) -> float:
    """The bits that symbols of such frequencies take together."""
    total, bits = 0, 0.0
    for frequency in frequencies:
        total += frequency
        if frequency > 1:
            bits -= frequency * np.log2(frequency)
    return float(bits + total * np.log2(max(1, total)))


@compiled
def _put_by_value(out: Bytes, at: int, values: Numbers, different: Numbers, counts: Numbers) -> int:
    """Each value as a symbol; `counts` are lost."""
    length = min(18, length_of(len(different)))
    out[at] = np.uint8(length)
    bits = min(20, max(12, 3 * length // 2))
    frequencies = np.empty(len(different), np.int32)
    for i in range(len(different)):
        frequencies[i] = counts[different[i]]
        counts[different[i]] = i
    shares, before = share(frequencies, 1 << bits)
    at = put_shares(out, at + 1, different, shares)
    coded = np.empty(3 * len(values) + 8, np.uint8)
    state, size = 1 << bits + 2, 0
    for i in range(len(values) - 1, -1, -1):
        symbol = counts[values[i]]
        size, state = push(coded, size, state, shares[symbol], before[symbol], bits)
    size = end(coded, size, state - (1 << bits + 2))
    return put_sized(out, at, coded[:size])


@compiled
def _put_by_length(
    out: Bytes, at: int, values: Numbers, together: int, lengths: NDArray[np.uint8], by_length: Numbers
) -> int:
    """The length of the longest of those together as a symbol, and then their bits as they are."""
    used, frequencies = np.empty(LENGTHS, np.int32), np.empty(LENGTHS, np.int32)
    symbols, count = np.empty(LENGTHS, np.int32), 0
    for length in range(LENGTHS):
        if by_length[length]:
            used[count], frequencies[count], symbols[length] = length, by_length[length], count
            count += 1
    shares, before = share(frequencies[:count], 1 << LENGTH_BITS)
    at = put_shares(out, at, used[:count], shares)
    coded = np.empty(2 * len(lengths) + 8, np.uint8)
    state, size = 1 << LENGTH_BITS + 2, 0
    for i in range(len(lengths) - 1, -1, -1):
        symbol = symbols[lengths[i]]
        size, state = push(coded, size, state, shares[symbol], before[symbol], LENGTH_BITS)
    size = end(coded, size, state - (1 << LENGTH_BITS + 2))
    at = put_sized(out, at, coded[:size])
    held = holds = 0
    for i in range(len(values)):
        at, held, holds = put_bits(out, at, held, holds, values[i], lengths[i // together])
    return flush_bits(out, at, held, holds)
