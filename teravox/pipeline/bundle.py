"""Several arrays and numbers in one object, each array compressed on its own and checked when it is read."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of any number type

MAGIC = b"tvxarr1\n"
_START = struct.Struct("<8sII")  # magic, bytes of the head and their crc32
_LIKELY = 4096  # bytes that hold the head of most bundles
_LEVEL = 1  # of zstd: labels gain nothing from more


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An array: its name, type and shape, and how many bytes it takes and what their crc32 is."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    stored: int
    crc: int

    @property
    def length(self) -> int:
        return math.prod(self.shape)


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What a bundle holds."""

    numbers: dict[str, int]
    arrays: tuple[Entry, ...]

    def length(self, name: str) -> int:
        """The elements of an array; 0 if it is not there."""
        return next((entry.length for entry in self.arrays if entry.name == name), 0)


class Bundle:
    """What was read; an array is decompressed when it is asked for."""

    def __init__(self, head: Head, body: memoryview, place: str, remedy: str) -> None:
        self.numbers = head.numbers
        self._place = place
        self._remedy = remedy
        self._parts: dict[str, tuple[Entry, memoryview]] = {}
        at = 0
        for entry in head.arrays:
            self._parts[entry.name] = (entry, body[at : at + entry.stored])
            at += entry.stored
        if at != len(body):
            raise self._broken(f"it has {len(body):,} bytes of arrays where {at:,} are expected")

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def get(self, name: str) -> Array:
        """An array; it may be read-only."""
        import numpy as np
        import zstandard

        if name not in self._parts:
            raise self._broken(f"it has no {name}")
        entry, stored = self._parts[name]
        if zlib.crc32(stored) != entry.crc:
            raise self._broken(f"its {name} are damaged")
        data = zstandard.ZstdDecompressor().decompress(stored) if entry.length else b""
        return np.frombuffer(data, entry.dtype).reshape(entry.shape)

    def _broken(self, why: str) -> BadInput:
        return BadInput(f"{self._place} cannot be read: {why}; {self._remedy}")


def pack_bundle(numbers: Mapping[str, int], arrays: Mapping[str, Array] | Sequence[tuple[str, Array]]) -> bytes:
    """The bytes of a bundle; the same contents give the same bytes."""
    pairs = arrays.items() if isinstance(arrays, Mapping) else arrays
    return join_parts(numbers, [pack_array(name, array) for name, array in pairs])


def pack_array(name: str, array: Array) -> tuple[Entry, bytes]:
    """One array of a bundle, compressed."""
    import numpy as np
    import zstandard

    array = np.ascontiguousarray(array)
    stored = b""
    if array.size:
        stored = zstandard.ZstdCompressor(level=_LEVEL).compress(array.reshape(-1).view(np.uint8).data)
    return Entry(name, array.dtype.str, array.shape, len(stored), zlib.crc32(stored)), stored


def join_parts(numbers: Mapping[str, int], parts: Sequence[tuple[Entry, bytes]]) -> bytes:
    """A bundle of arrays that are compressed already."""
    head = msgspec.json.encode(Head(dict(numbers), tuple(entry for entry, _ in parts)))
    return b"".join([_START.pack(MAGIC, len(head), zlib.crc32(head)), head, *(stored for _, stored in parts)])


def read_bundle(store: Store, key: str, remedy: str) -> Bundle:
    """A bundle; BadInput with the remedy if it is missing or damaged."""
    data = store.get(key)
    place = f"{store.url}/{key}"
    if data is None:
        raise BadInput(f"{place} is missing; {remedy}")
    head, size = _head(data, place, remedy)
    return Bundle(head, memoryview(data)[size:], place, remedy)


def read_head(store: Store, key: str, remedy: str) -> Head:
    """What a bundle holds, without its arrays."""
    place = f"{store.url}/{key}"
    data = store.get_range(key, 0, _LIKELY)
    if data is None:
        raise BadInput(f"{place} is missing; {remedy}")
    if len(data) == _LIKELY:
        size = _START.size + _START.unpack_from(data)[1]
        data = (store.get_range(key, 0, size) or b"") if size > _LIKELY else data
    return _head(data, place, remedy)[0]


def _head(data: bytes, place: str, remedy: str) -> tuple[Head, int]:
    """The head, and where the arrays begin."""
    magic, length, crc = _START.unpack_from(data) if len(data) >= _START.size else (b"", 0, 0)
    text = data[_START.size : _START.size + length]
    if magic != MAGIC or len(text) != length or zlib.crc32(text) != crc:
        raise BadInput(f"{place} cannot be read: its head is damaged or cut off; {remedy}")
    return msgspec.json.decode(text, type=Head), _START.size + length
