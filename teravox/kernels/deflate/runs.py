"""Bytes as a zlib stream in which nothing is looked for but runs of one byte: https://www.rfc-editor.org/rfc/rfc1951.

It takes a tenth of the time of a search for repetitions, of which the noise of a microscope has none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.deflate.bits import (
    END,
    HEADER,
    SHORTEST,
    SYMBOLS,
    extra_bits,
    put,
    put_header,
    put_symbol,
    symbol_of,
)
from teravox.kernels.deflate.code_lengths import CODE_BITS, CODE_LENGTH, find_codes, find_lengths

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

_BEGIN = np.uint64(0x0178)  # that a stream as zlib has it follows
_BLOCK = 1 << 17  # bytes that share a code
_STEP = 8  # bytes of a word: runs begin and end with one
_LONGEST_RUN = 256  # bytes, a multiple of a word
_ALIKE = np.uint64(0x0101010101010101)


def pack(data: Bytes) -> Bytes:
    """The zlib stream of a contiguous array of at least one byte, without the check sum at its end."""
    blocks = -(-data.size // _BLOCK)
    stream = np.empty((2 * data.size + blocks * HEADER) // _STEP + 2, np.uint64)
    whole = data.size // _STEP
    bits = _pack(data, data[: whole * _STEP].view(np.uint64), stream)
    return stream.astype("<u8", copy=False).view(np.uint8)[: -(-bits // 8)]


@compiled
def _pack(data: Bytes, words: Words, stream: Words) -> int:
    """Fill the stream from its lowest bit on; how many bits it has."""
    stream[0] = 0
    at = put(stream, np.uint64(0), _BEGIN, np.uint64(16))
    counts = np.empty(SYMBOLS, np.int64)
    lengths = np.empty(SYMBOLS, np.uint8)
    codes = np.empty(SYMBOLS, np.uint64)
    distances = np.ones(1, np.uint8)  # one of them, of one byte, in one bit
    for start in range(0, data.size, _BLOCK):
        stop = min(start + _BLOCK, data.size)
        _count(data, words, start, stop, counts)
        find_lengths(counts, lengths)
        find_codes(lengths, codes)
        at = put_header(stream, at, lengths, distances, stop == data.size)
        at = _write(data, words, start, stop, codes, stream, at)
    return int(at)


@compiled
def _run_at(words: Words, word: int, stop: int) -> int:
    """How many words from here on, before `stop`, are alike."""
    following = word + 1
    while following < stop and words[following] == words[word]:
        following += 1
    return following - word


@compiled
def _count(data: Bytes, words: Words, start: int, stop: int, counts: NDArray[np.int64]) -> None:
    """How often each symbol is needed for a part of the data."""
    single = np.zeros((4, 256), np.int32)  # four, so that equal bytes in a row do not wait for each other
    counts[:] = 0
    counts[END] = 1
    last = stop // _STEP
    word = start // _STEP
    while word < last:
        at_byte = word * _STEP
        if word > 0 and words[word] == np.uint64(data[at_byte - 1]) * _ALIKE:  # of one byte, and that before them
            run = _run_at(words, word, last)
            word += run
            length = run * _STEP
            counts[symbol_of(_LONGEST_RUN)] += length // _LONGEST_RUN
            if length % _LONGEST_RUN:
                counts[symbol_of(length % _LONGEST_RUN)] += 1
            continue
        eight = data[word * _STEP : (word + 1) * _STEP]
        for n in range(_STEP):
            single[n & 3, eight[n]] += 1
        word += 1
    for at in range(last * _STEP, stop):
        single[0, data[at]] += 1
    for byte in range(256):
        counts[byte] = single[0, byte] + single[1, byte] + single[2, byte] + single[3, byte]


@compiled
def _write(data: Bytes, words: Words, start: int, stop: int, codes: Words, stream: Words, at: np.uint64) -> np.uint64:
    """Write the symbols of a part of the data."""
    last = stop // _STEP
    word = start // _STEP
    while word < last:
        at_byte = word * _STEP
        if word > 0 and words[word] == np.uint64(data[at_byte - 1]) * _ALIKE:  # of one byte, and that before them
            run = _run_at(words, word, last)
            word += run
            length = run * _STEP
            while length:
                part = min(length, _LONGEST_RUN)
                at = _put_run(stream, at, codes, part)
                length -= part
            continue
        eight = data[word * _STEP : (word + 1) * _STEP]
        at = _put_four(stream, at, codes, eight[0], eight[1], eight[2], eight[3])
        at = _put_four(stream, at, codes, eight[4], eight[5], eight[6], eight[7])
        word += 1
    for n in range(last * _STEP, stop):
        at = put_symbol(stream, at, codes[data[n]])
    return put_symbol(stream, at, codes[END])


@compiled
def _put_four(
    stream: Words, at: np.uint64, codes: Words, a: np.uint8, b: np.uint8, c: np.uint8, d: np.uint8
) -> np.uint64:
    """Four symbols, which have at most 60 bits together."""
    first, second, third, fourth = codes[a], codes[b], codes[c], codes[d]
    two = first >> CODE_BITS | second >> CODE_BITS << (first & CODE_LENGTH)
    length = (first & CODE_LENGTH) + (second & CODE_LENGTH)
    more = third >> CODE_BITS | fourth >> CODE_BITS << (third & CODE_LENGTH)
    return put(stream, at, two | more << length, length + (third & CODE_LENGTH) + (fourth & CODE_LENGTH))


@compiled
def _put_run(stream: Words, at: np.uint64, codes: Words, length: int) -> np.uint64:
    """So many bytes that are like the one before: a length, what is left of it, and the distance."""
    at = put_symbol(stream, at, codes[symbol_of(length)])
    bits = extra_bits(length)
    return put(stream, at, np.uint64((length - SHORTEST) & ((1 << bits) - 1)), np.uint64(bits + 1))
