"""Where bytes lie: what every store promises, on a file system and in a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Protocol

Compression = Literal["gzip", "br", "zstd"]


class Store(Protocol):
    """The objects below one URL. Keys are relative, with `/` between their parts.

    A key that is absolute, holds `..`, a backslash or a NUL raises BadInput. What the credentials or the
    place do not allow raises Fatal, what may work in a moment Transient; both name the URL and the key.
    """

    url: str
    can_append: bool

    def get(self, key: str) -> bytes | None:
        """The whole object, with its transport compression undone; None if it is not there."""

    def get_stored(self, key: str, *, most: int | None = None) -> tuple[bytes, Compression | None] | None:
        """The whole object as it is stored, and how it is compressed; None if it is not there.

        One of more than `most` bytes raises BadInput; of a file no more than its length is looked at then.
        """

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        """The bytes from `start` up to `stop` of an object that is stored uncompressed; fewer where it ends before.

        None if it is not there. One that is stored compressed raises BadInput.
        """

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Several objects, fetched side by side."""

    def put(
        self,
        key: str,
        data: bytes | bytearray,
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        """Write an object whole or not at all: a reader sees the old bytes or the new ones, also after a kill.

        `level` is the compression's own; None takes the one that measured best.
        """

    def put_stored(
        self,
        key: str,
        stored: bytes | bytearray,
        how: Compression | None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        """Write an object that is compressed already, as `get_stored` gives it; whole or not at all."""

    def put_parts(
        self,
        key: str,
        parts: Iterable[bytes],
        how: Compression | None = None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        """Write an object, compressed already, that comes part after part; whole or not at all.

        On a file system and in S3 it is never in memory as a whole.
        """

    def put_many(
        self,
        objects: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        """Write several objects side by side; each is all or nothing, and the first error ends it."""

    def append(self, key: str, data: bytes) -> None:
        """Add to the end of an object that only this process writes; only where `can_append`."""

    def exists(self, keys: Iterable[str]) -> dict[str, bool]:
        """Which of these objects are there."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with `prefix`, without a compression's ending, in no order."""

    def list_sizes(self, prefix: str = "") -> Iterator[tuple[str, int, Compression | None]]:
        """The same keys with the bytes of each as it is stored, and its compression where its ending says one.

        A key that lies there in two compressions comes twice.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects in whatever compression; what is not there is no error."""
