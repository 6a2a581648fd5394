"""Labels of 32 bits as a gzip member, for which repetitions are looked for only where labels have them: beside, in the row and in the plane before.

It takes a third of the time of a search everywhere that packs as well: https://www.rfc-editor.org/rfc/rfc1952.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.deflate import REACH
from teravox.kernels.deflate.bits import (
    END,
    HEADER,
    LONGEST_COPY,
    SHORTEST,
    SYMBOLS,
    extra_bits,
    put,
    put_header,
    put_symbol,
    symbol_of,
)
from teravox.kernels.deflate.code_lengths import find_codes, find_lengths

Labels = NDArray[np.uint32]
Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

_SIZE = 4  # bytes of a voxel: more than the shortest copy has
_BLOCK = 1 << 18  # voxels that share codes
_PART = 1 << 12  # voxels that are compared at once
_DISTANCES = 30
_WORTH = 3  # bits that a voxel in a copy is taken to spare: measured on labels of neurons
_BEGIN = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])  # of a gzip member that says nothing but that it is one


def gzip_labels(voxels: Labels) -> bytes:
    """The bytes of labels of x, y, z and channel, x fastest, as a gzip member; there must be at least one."""
    import deflate

    flat = voxels.ravel("F")
    plain = flat.astype("<u4", copy=False).view(np.uint8)
    blocks = -(-flat.size // _BLOCK)
    stream = np.empty((2 * plain.size + blocks * HEADER) // 8 + 2, np.uint64)
    bits = _pack(read_only(flat), _places(voxels.shape[0], voxels.shape[0] * voxels.shape[1]), stream)
    packed = stream.astype("<u8", copy=False).view(np.uint8)[: -(-bits // 8)]
    return b"".join([_BEGIN, packed.tobytes(), struct.pack("<II", deflate.crc32(plain), plain.size & 0xFFFFFFFF)])


def _places(row: int, plane: int) -> Numbers:
    """How many voxels back a repetition may begin, at most 16 ways: first where it costs the fewest bits to say so."""
    beside = (1, row, row - 1, row + 1, row - 2, row + 2)
    before = [
        plane + y * row + x for y, x in ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
    ]
    places = dict.fromkeys(place for place in (*beside, *before) if 0 < place <= REACH // _SIZE)
    return np.array(list(places), np.int64)


@compiled
def _pack(voxels: Labels, places: Numbers, stream: Words) -> int:
    """Fill the stream from its lowest bit on; how many bits it has."""
    alike = np.empty(min(_BLOCK, voxels.size), np.uint16)
    lengths = np.empty(alike.size, np.int32)  # in voxels: of copies, or 1 of a voxel that is none
    taken = np.empty(lengths.size, np.int8)  # from which place, or -1
    symbols, far, bits = (
        np.empty(places.size, np.int64),
        np.empty(places.size, np.int64),
        np.empty(places.size, np.int64),
    )
    for n in range(places.size):
        symbols[n], far[n] = _symbol_of_distance(places[n] * _SIZE)
        bits[n] = max(0, (symbols[n] >> 1) - 1)
    counts, distances = np.empty(SYMBOLS, np.int64), np.empty(_DISTANCES, np.int64)
    code_lengths, distance_lengths = np.empty(SYMBOLS, np.uint8), np.empty(_DISTANCES, np.uint8)
    codes, distance_codes = np.empty(SYMBOLS, np.uint64), np.empty(_DISTANCES, np.uint64)
    stream[0] = 0
    at = np.uint64(0)
    for start in range(0, voxels.size, _BLOCK):
        stop = min(start + _BLOCK, voxels.size)
        _compare(voxels, start, stop, places, alike)
        count = _find_copies(alike[: stop - start], bits, lengths, taken)
        _count(voxels, start, lengths[:count], taken, symbols, counts, distances)
        find_lengths(counts, code_lengths)
        find_lengths(distances, distance_lengths)
        find_codes(code_lengths, codes)
        find_codes(distance_lengths, distance_codes)
        at = put_header(stream, at, code_lengths, distance_lengths, stop == voxels.size)
        voxel = start
        for n in range(count):
            if taken[n] < 0:
                at = _put_voxel(stream, at, codes, voxels[voxel])
            else:
                symbol = symbols[taken[n]]
                rest = lengths[n] * _SIZE
                while rest:
                    part = _part_of(rest)
                    more = extra_bits(part)
                    at = put_symbol(stream, at, codes[symbol_of(part)])
                    at = put(stream, at, np.uint64((part - SHORTEST) & ((1 << more) - 1)), np.uint64(more))
                    at = put_symbol(stream, at, distance_codes[symbol])
                    at = put(stream, at, np.uint64(far[taken[n]]), np.uint64(bits[taken[n]]))
                    rest -= part
            voxel += lengths[n]
        at = put_symbol(stream, at, codes[END])
    return int(at)


@compiled
def _compare(voxels: Labels, start: int, stop: int, places: Numbers, alike: NDArray[np.uint16]) -> None:
    """Say of each voxel from which places it can be copied: a bit for each. Part by part, while these are in the cache."""
    for low in range(start, stop, _PART):
        high = min(low + _PART, stop)
        alike[low - start : high - start] = 0
        for n in range(places.size):
            first = max(low, places[n])
            if first >= high:
                continue
            bit = np.uint16(1 << n)
            here, there = voxels[first:high], voxels[first - places[n] : high - places[n]]
            marks = alike[first - start : high - start]
            for k in range(here.size):
                marks[k] |= bit if here[k] == there[k] else np.uint16(0)


@compiled
def _find_copies(alike: NDArray[np.uint16], bits: Numbers, lengths: NDArray[np.int32], taken: NDArray[np.int8]) -> int:
    """Split voxels into copies and single ones; how many there are together.

    Of the copies that begin at a voxel, the one is taken that is longest for what its place costs. But for those of the
    voxel before, which cost nothing more, none is longer than one symbol can say: a nearer place may do for the rest.
    """
    longest = LONGEST_COPY // _SIZE
    count = voxel = 0
    while voxel < alike.size:
        length, place, most = 1, -1, -(1 << 30)
        possible = alike[voxel]
        end = voxel
        while possible:
            end += 1
            remaining = np.uint16(0)
            if end < alike.size:
                remaining = possible & alike[end]
            if end - voxel >= longest:
                remaining &= np.uint16(1)
            if remaining != possible:
                nearest = 0
                while not possible >> np.uint16(nearest) & np.uint16(1):
                    nearest += 1
                worth = (end - voxel) * _WORTH - bits[nearest]
                if worth > most:
                    length, place, most = end - voxel, nearest, worth
            possible = remaining
        lengths[count], taken[count] = length, place
        voxel += length
        count += 1
    return count


@compiled
def _count(
    voxels: Labels,
    start: int,
    lengths: NDArray[np.int32],
    taken: NDArray[np.int8],
    symbols: Numbers,
    counts: Numbers,
    distances: Numbers,
) -> None:
    """How often each symbol is needed, and each one of distances, of which a code must have two."""
    counts[:] = 0
    counts[END] = 1
    distances[:] = 0
    distances[:2] = 1
    voxel = start
    for n in range(lengths.size):
        if taken[n] < 0:
            for byte in range(_SIZE):
                counts[_byte_of(voxels[voxel], byte)] += 1
        else:
            rest = lengths[n] * _SIZE
            while rest:
                part = _part_of(rest)
                counts[symbol_of(part)] += 1
                distances[symbols[taken[n]]] += 1
                rest -= part
        voxel += lengths[n]


@compiled
def _put_voxel(stream: Words, at: np.uint64, codes: Words, label: np.uint32) -> np.uint64:
    for byte in range(_SIZE):
        at = put_symbol(stream, at, codes[_byte_of(label, byte)])
    return at


@compiled
def _byte_of(label: np.uint32, byte: int) -> int:
    return int(label >> np.uint32(8 * byte) & np.uint32(255))


@compiled
def _part_of(rest: int) -> int:
    """How much of a copy its next symbol can say, so that what is left is not too short for one."""
    if rest <= LONGEST_COPY:
        return rest
    return LONGEST_COPY if rest - LONGEST_COPY >= SHORTEST else LONGEST_COPY - SHORTEST


@compiled
def _symbol_of_distance(distance: int) -> tuple[int, int]:
    """The symbol of so many bytes back, and what is written behind it."""
    if distance <= 4:
        return distance - 1, 0
    bits = 0
    while (distance - 1) >> bits >= 4:
        bits += 1
    return 2 * bits + ((distance - 1) >> bits), (distance - 1) & ((1 << bits) - 1)
