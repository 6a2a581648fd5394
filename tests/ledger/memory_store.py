from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from teravox.pipeline.store import Compression


class MemoryStore:
    """A store in a dictionary, which counts its calls and fails when it is told to."""

    def __init__(self, *, can_append: bool) -> None:
        self.url = "memory://test"
        self.can_append = can_append
        self.objects: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.fails: list[Callable[[str, bytes], None]] = []

    def get(self, key: str) -> bytes | None:
        self.calls.append("get")
        return self.objects.get(key)

    def get_stored(self, key: str, *, most: int | None = None) -> tuple[bytes, Compression | None] | None:
        data = self.get(key)
        return None if data is None else (data, None)

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        data = self.get(key)
        return None if data is None else data[start:stop]

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        return {key: self.get(key) for key in keys}

    def put(
        self,
        key: str,
        data: bytes | bytearray,
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.calls.append("put")
        if self.fails:
            self.fails.pop(0)(key, bytes(data))
        self.objects[key] = bytes(data)

    def put_stored(
        self,
        key: str,
        stored: bytes | bytearray,
        how: Compression | None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.put(key, stored)

    def put_parts(
        self,
        key: str,
        parts: Iterable[bytes],
        how: Compression | None = None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.put(key, b"".join(parts))

    def put_many(
        self,
        objects: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        for key, data in objects.items() if isinstance(objects, Mapping) else objects:
            self.put(key, data)

    def append(self, key: str, data: bytes) -> None:
        assert self.can_append
        self.calls.append("append")
        if self.fails:
            self.fails.pop(0)(key, data)
        self.objects[key] = self.objects.get(key, b"") + data

    def exists(self, keys: Iterable[str]) -> dict[str, bool]:
        return {key: key in self.objects for key in keys}

    def list(self, prefix: str = "") -> Iterator[str]:
        self.calls.append("list")
        return iter([key for key in self.objects if key.startswith(prefix)])

    def list_sizes(self, prefix: str = "") -> Iterator[tuple[str, int, Compression | None]]:
        return ((key, len(self.objects[key]), None) for key in self.list(prefix))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)
