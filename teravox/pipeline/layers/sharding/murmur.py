"""MurmurHash3_x86_128 of 8-byte numbers, whose lowest 64 bits spread labels over shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_C1, _C2, _C3 = 0x239B961B, 0xAB0E9789, 0x38B34AE5
_LOW = 0xFFFFFFFF


def murmur64(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The lowest 64 bits of the hash, with seed 0, of each number's little-endian bytes.

    Arithmetic is modulo 2^32 on 64-bit words, which hold every product and rotation.
    """
    import numpy as np

    low = np.uint64(_LOW)

    def times(words: NDArray[np.uint64], factor: int) -> NDArray[np.uint64]:
        return (words * np.uint64(factor)) & low

    def rotate(words: NDArray[np.uint64], by: int) -> NDArray[np.uint64]:
        return ((words << np.uint64(by)) | (words >> np.uint64(32 - by))) & low

    def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        words = times(words ^ (words >> np.uint64(16)), 0x85EBCA6B)
        words = times(words ^ (words >> np.uint64(13)), 0xC2B2AE35)
        return words ^ (words >> np.uint64(16))

    first = times(rotate(times(numbers & low, _C1), 15), _C2)
    second = times(rotate(times(numbers >> np.uint64(32), _C2), 16), _C3)
    length = np.uint64(8)
    h1, h2, h3, h4 = first ^ length, second ^ length, np.full_like(first, 8), np.full_like(first, 8)
    h1 = (h1 + h2 + h3 + h4) & low
    h2, h3, h4 = (h2 + h1) & low, (h3 + h1) & low, (h4 + h1) & low
    h1, h2, h3, h4 = mix(h1), mix(h2), mix(h3), mix(h4)
    h1 = (h1 + h2 + h3 + h4) & low
    h2 = (h2 + h1) & low
    return (h2 << np.uint64(32)) | h1
