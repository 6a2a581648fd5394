"""How many bits each symbol of a prefix code gets, and the bits: https://www.rfc-editor.org/rfc/rfc1951#page-7."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

LONGEST = 15  # bits, which deflate allows

# A code as one number: its bits, the first one lowest, above the number of them.
CODE_BITS, CODE_LENGTH = np.uint64(4), np.uint64(15)

_GAPS = (109, 41, 19, 5, 1)  # of a Shell sort


@compiled
def find_lengths(counts: NDArray[np.int64], lengths: NDArray[np.uint8]) -> None:
    """The lengths by Huffman's method, 0 for a symbol that does not occur; at least two must occur.

    Where a code would be too long, all counts are halved until it is not. The counts are changed.
    """
    symbols = np.empty(counts.size, np.int64)
    while True:
        used = 0
        for symbol in range(counts.size):
            if counts[symbol] > 0:
                symbols[used] = symbol
                used += 1
        _sort(symbols[:used], counts)
        if _measure(symbols[:used], counts, lengths) <= LONGEST:
            return
        for symbol in range(counts.size):
            counts[symbol] = (counts[symbol] + 1) >> 1


@compiled
def find_codes(lengths: NDArray[np.uint8], codes: NDArray[np.uint64]) -> None:
    """The code of each symbol as one number."""
    of_length = np.zeros(LONGEST + 2, np.int64)
    for symbol in range(lengths.size):
        of_length[lengths[symbol] + 1] += 1
    following = np.zeros(LONGEST + 1, np.int64)
    for length in range(2, LONGEST + 1):
        following[length] = (following[length - 1] + of_length[length]) << 1
    for symbol in range(lengths.size):
        length = int(lengths[symbol])
        if length == 0:
            codes[symbol] = 0
            continue
        code, turned = following[length], np.int64(0)
        following[length] += 1
        for _ in range(length):
            turned = (turned << 1) | (code & 1)
            code >>= 1
        codes[symbol] = np.uint64((turned << 4) | length)


@compiled
def _sort(symbols: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """By their counts, and where these are equal by number."""
    for gap in _GAPS:
        for start in range(gap, symbols.size):
            symbol = symbols[start]
            at = start
            while at >= gap:
                other = symbols[at - gap]
                if counts[other] < counts[symbol] or (counts[other] == counts[symbol] and other < symbol):
                    break
                symbols[at] = other
                at -= gap
            symbols[at] = symbol


@compiled
def _measure(symbols: NDArray[np.int64], counts: NDArray[np.int64], lengths: NDArray[np.uint8]) -> int:
    """Join the two rarest groups again and again; the longest length of any symbol."""
    leaves = symbols.size
    weights = np.empty(2 * leaves - 1, np.int64)
    above = np.empty(2 * leaves - 1, np.int64)
    for n in range(leaves):
        weights[n] = counts[symbols[n]]
    leaf, group = 0, leaves  # the rarest that are not joined yet
    for new in range(leaves, 2 * leaves - 1):
        weight = np.int64(0)
        for _ in range(2):
            if group == new or (leaf < leaves and weights[leaf] <= weights[group]):
                rarest, leaf = leaf, leaf + 1
            else:
                rarest, group = group, group + 1
            above[rarest] = new
            weight += weights[rarest]
        weights[new] = weight
    depths = weights  # which nobody asks for any more
    depths[2 * leaves - 2] = 0
    longest = np.int64(0)
    for n in range(2 * leaves - 3, -1, -1):
        depths[n] = depths[above[n]] + 1
        longest = max(longest, depths[n])
    lengths[:] = 0
    for n in range(leaves):
        lengths[symbols[n]] = min(depths[n], 255)
    return int(longest)
