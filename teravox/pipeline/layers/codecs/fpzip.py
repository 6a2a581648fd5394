"""fpzip and kempressed, whose data neither say how long they are nor are checked by their codec."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32
Shape = tuple[int, int, int, int]

_HEADER = 28  # bytes, with what the decoder reads ahead
_WORD = 0xFFFFFFFF


def encode_fpzip(voxels: Array, precision: int | None) -> bytes:
    import fpzip

    writable = np.require(voxels, None, ["F", "W"])  # it refuses arrays that are read-only
    return bytes(fpzip.compress(writable, order="F", precision=precision or 0))


def decode_fpzip(data: bytes, shape: Shape) -> Array:
    """The codec reads on beyond the end of what was cut off.

    So it decodes the data with one and with another continuation, each long enough: a difference says that they have no end.
    """
    import fpzip

    check_fpzip(data, shape)
    room = 5 * math.prod(shape) + 1024
    one, other = (fpzip.decompress(data + byte * room, order="F") for byte in (b"\x00", b"\xa5"))
    if not np.array_equal(one.view(np.uint32), other.view(np.uint32)):
        raise ValueError("it ends too early")
    return np.asarray(one)


def encode_kempressed(voxels: Array) -> bytes:
    return encode_fpzip(np.swapaxes(voxels, 2, 3) + np.float32(2), None)


def decode_kempressed(data: bytes, shape: Shape) -> Array:
    x, y, z, channels = shape
    with np.errstate(over="ignore", invalid="ignore"):  # damaged data may hold anything
        return np.swapaxes(decode_fpzip(data, (x, y, channels, z)), 2, 3) - np.float32(2)


def check_fpzip(data: bytes, shape: Shape) -> None:
    """By the header, before memory is taken for what it says."""
    if len(data) < _HEADER:
        raise ValueError(f"it ends within its header, after {len(data):,} bytes")
    numbers = _RangeCoded(data[:_HEADER])
    begin = [numbers.take(bits) for bits in (8, 8, 8, 8, 16, 8)]
    if begin[:4] != [*b"fpz\0"]:
        raise ValueError("it does not begin as fpzip data do")
    is_double, precision = numbers.take(1), numbers.take(7)
    size = tuple(numbers.take(32) for _ in range(4))
    if size != shape or is_double or precision > 32:
        raise ValueError(f"it holds {' x '.join(map(str, size))} {'float64' if is_double else 'float32'}")


class _RangeCoded:
    """The numbers of the header, which are range-coded as all else, each bit as likely 0 as 1."""

    def __init__(self, data: bytes) -> None:
        self._rest = iter(data)
        self._low = self._code = 0
        self._range = _WORD
        self._read(4)

    def take(self, bits: int) -> int:
        number = 0
        for shift in range(0, bits, 16):
            number |= self._take(min(bits - shift, 16)) << shift
        return number

    def _take(self, bits: int) -> int:
        self._range >>= bits
        number = (self._code - self._low & _WORD) // self._range
        self._low = self._low + self._range * number & _WORD
        while not (self._low ^ self._low + self._range & _WORD) >> 24:
            self._read(1)
            self._range = self._range << 8 & _WORD
        if not self._range >> 16:
            self._read(2)
            self._range = -self._low & _WORD
        return number

    def _read(self, count: int) -> None:
        for _ in range(count):
            self._code = (self._code << 8 | next(self._rest, 0)) & _WORD
            self._low = self._low << 8 & _WORD
