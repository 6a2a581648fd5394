"""Writes bits, symbols and the headers of blocks into a deflate stream: https://www.rfc-editor.org/rfc/rfc1951#page-9."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.deflate.code_lengths import CODE_BITS, CODE_LENGTH

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

HEADER = 256  # bytes: more than a block needs beside its symbols
END = 256  # the symbol behind the last one of a block
SYMBOLS = 286
SHORTEST, LONGEST_COPY = 3, 258  # bytes that the format can take from before

_ONE, _SIX, _SIXTY_THREE = np.uint64(1), np.uint64(6), np.uint64(63)  # of one type, or numba makes floats of them


@compiled
def put(stream: Words, at: np.uint64, bits: np.uint64, count: np.uint64) -> np.uint64:
    """Add up to 63 bits; the word that they begin in has nothing but zeros behind its last bit."""
    word, shift = at >> _SIX, at & _SIXTY_THREE
    stream[word] |= bits << shift
    stream[word + _ONE] = bits >> _ONE >> (_SIXTY_THREE - shift)
    return at + count


@compiled
def put_symbol(stream: Words, at: np.uint64, code: np.uint64) -> np.uint64:
    return put(stream, at, code >> CODE_BITS, code & CODE_LENGTH)


@compiled
def put_header(stream: Words, at: np.uint64, lengths: Bytes, distances: Bytes, is_last: bool) -> np.uint64:
    """Say that a block with codes of its own follows, and the lengths of these.

    They have a code that never changes: four bits for each length and for a run of zeros, five for the lengths 1 and 15.
    """
    at = put(stream, at, np.uint64(is_last), _ONE)
    at = put(stream, at, np.uint64(2), np.uint64(2))
    at = put(stream, at, np.uint64(lengths.size - 257), np.uint64(5))
    at = put(stream, at, np.uint64(distances.size - 1), np.uint64(5))
    at = put(stream, at, np.uint64(19 - 4), np.uint64(4))
    for n in range(19):  # in the format's order: other repetitions come first, and 1 and 15 last
        at = put(stream, at, np.uint64(0 if n < 2 else 5 if n > 16 else 4), np.uint64(3))
    zeros = 0
    for n in range(lengths.size + distances.size + 1):
        length = 1  # which ends a run behind the last one
        if n < lengths.size:
            length = int(lengths[n])
        elif n < lengths.size + distances.size:
            length = int(distances[n - lengths.size])
        if length == 0 and zeros < 138:
            zeros += 1
            continue
        if zeros >= 11:
            at = put(stream, at, np.uint64(0b0111 | (zeros - 11) << 4), np.uint64(4 + 7))
        else:
            at = put(stream, at, np.uint64(0), np.uint64(4 * zeros))
        zeros = 0
        if length == 0:
            zeros = 1
        elif n < lengths.size + distances.size:
            at = _put_length(stream, at, length)
    return at


@compiled
def _put_length(stream: Words, at: np.uint64, length: int) -> np.uint64:
    if length == 1:
        return put(stream, at, np.uint64(0b01111), np.uint64(5))
    if length == 15:
        return put(stream, at, np.uint64(0b11111), np.uint64(5))
    code = length - 1
    turned = (code & 1) << 3 | (code & 2) << 1 | (code & 4) >> 1 | code >> 3
    return put(stream, at, np.uint64(turned), np.uint64(4))


@compiled
def extra_bits(length: int) -> int:
    """How many bits of the length of a copy are written behind its symbol."""
    bits = 0
    while (length - SHORTEST) >> bits >= 8:
        bits += 1
    return 0 if length == LONGEST_COPY else bits


@compiled
def symbol_of(length: int) -> int:
    """The symbol of the length of a copy."""
    if length == LONGEST_COPY:
        return SYMBOLS - 1
    bits = extra_bits(length)
    return 257 + 4 * bits + ((length - SHORTEST) >> bits)
