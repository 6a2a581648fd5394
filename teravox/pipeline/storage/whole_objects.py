"""What all stores share: compression, the tally, and many objects side by side."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.compression import compress, decompress
from teravox.pipeline.storage.side_by_side import LANES, do_all, side_by_side
from teravox.pipeline.storage.tally import TALLY
from teravox.pipeline.storage.urls import confine
from teravox.pipeline.store import Compression

Stored = tuple[bytes, Compression | None]


class WholeObjects(ABC):
    """A store that says how one object is fetched, stored, found and removed."""

    def __init__(self, url: str, lanes: int = LANES) -> None:
        self.url = url
        self._lanes = lanes

    @abstractmethod
    def _fetch(self, key: str, most: int | None) -> Stored | None:
        """The object as it is stored; one of more than `most` bytes need not be read, and raises BadInput then."""

    @abstractmethod
    def _fetch_range(self, key: str, start: int, stop: int) -> bytes | None:
        """Some bytes of the object; BadInput if it is compressed."""

    @abstractmethod
    def _store(self, key: str, stored: bytes | bytearray, how: Compression | None, content_type: str) -> None:
        """Write the object, compressed already, whole or not at all."""

    def _store_parts(self, key: str, parts: Iterable[bytes], how: Compression | None, content_type: str) -> None:
        """Write an object that comes part after part; at once, where a store has no better way."""
        self._store(key, b"".join(parts), how, content_type)

    @abstractmethod
    def _has(self, key: str) -> bool:
        """Whether the object is there in whatever compression."""

    @abstractmethod
    def _remove(self, key: str) -> None:
        """Remove the object in whatever compression, if it is there."""

    def get(self, key: str) -> bytes | None:
        stored = self.get_stored(key)
        if stored is None:
            return None
        try:
            return decompress(*stored)
        except ValueError as error:
            raise BadInput(
                f"{self.url}/{key} cannot be read: {error}. It was damaged or cut off; write it again"
            ) from None

    def get_stored(self, key: str, *, most: int | None = None) -> Stored | None:
        stored = self._fetch(confine(key, self.url), most)
        if stored is not None and most is not None and len(stored[0]) > most:
            raise refuse_length(self.url, key, len(stored[0]), most)
        TALLY.read(len(stored[0]) if stored is not None else 0)
        return stored

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        part = self._fetch_range(confine(key, self.url), start, stop) if stop > start else b""
        TALLY.read(len(part or b""))
        return part

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        return dict(side_by_side(lambda key: (key, self.get(key)), keys, self._lanes))

    def put(
        self,
        key: str,
        data: bytes | bytearray,
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.put_stored(key, _compress(data, compress, level), compress, content_type=content_type)

    def put_stored(
        self,
        key: str,
        stored: bytes | bytearray,
        how: Compression | None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        self._store(confine(key, self.url), stored, how, content_type)
        TALLY.put(self.url, key, stored)

    def put_parts(
        self,
        key: str,
        parts: Iterable[bytes],
        how: Compression | None = None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        summed = Summed(parts)
        self._store_parts(confine(key, self.url), summed, how, content_type)
        TALLY.put_summed(self.url, key, summed.size, summed.crc)

    def put_many(
        self,
        objects: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        pairs = objects.items() if isinstance(objects, Mapping) else objects
        do_all(
            lambda pair: self.put(*pair, compress=compress, level=level, content_type=content_type), pairs, self._lanes
        )

    def exists(self, keys: Iterable[str]) -> dict[str, bool]:
        return dict(side_by_side(lambda key: (key, self._is_there(key)), keys, self._lanes))

    def delete(self, keys: Iterable[str]) -> None:
        do_all(self._delete, keys, self._lanes)

    def _is_there(self, key: str) -> bool:
        TALLY.read(0)
        return self._has(confine(key, self.url))

    def _delete(self, key: str) -> None:
        self._remove(confine(key, self.url))
        TALLY.deleted(self.url, key)


class Summed:
    """Parts of an object on their way, with how many bytes went by and their crc32."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts
        self.size = 0
        self.crc = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self.size += len(part)
            self.crc = zlib.crc32(part, self.crc)
            yield part


_compress = compress  # `put` has an option of that name


def refuse_length(url: str, key: str, length: int, most: int) -> BadInput:
    """What to raise for an object that is longer than it may be."""
    return BadInput(
        f"{url}/{key} has {length:,} bytes where at most {most:,} can be expected. It was damaged; write it again"
    )


def refuse_range(url: str, key: str) -> BadInput:
    """What to raise where a part is wanted of an object that is stored compressed."""
    return BadInput(f"{url}/{key} is stored compressed, so no part of it can be read; store it as it is")
