"""The store in memory, `mem://`: what cloud-files keeps there, so CloudVolume sees the same objects."""

from __future__ import annotations

from collections.abc import Iterator

from teravox.pipeline.errors import Fatal
from teravox.pipeline.storage.compression import ENDING, ENDINGS
from teravox.pipeline.storage.side_by_side import LOCAL_LANES
from teravox.pipeline.storage.urls import confine_prefix
from teravox.pipeline.storage.whole_objects import Stored, WholeObjects, refuse_range
from teravox.pipeline.store import Compression


class MemoryStore(WholeObjects):
    """Objects of this process alone."""

    can_append = False

    def __init__(self, url: str) -> None:
        super().__init__(url, LOCAL_LANES)
        bucket, _, path = url.removeprefix("mem://").partition("/")
        self._bucket = bucket
        self._base = f"{path}/" if path else ""

    def append(self, key: str, data: bytes) -> None:  # noqa: ARG002 - the contract's form
        raise Fatal(f"{self.url} cannot be appended to ({key}): keep this file on a file system")

    def list(self, prefix: str = "") -> Iterator[str]:
        return iter({key for key, _, _ in self.list_sizes(prefix)})

    def list_sizes(self, prefix: str = "") -> Iterator[tuple[str, int, Compression | None]]:
        begin = self._base + confine_prefix(prefix, self.url)
        return self._sizes(begin)

    def _sizes(self, begin: str) -> Iterator[tuple[str, int, Compression | None]]:
        for name, stored in list(self._objects().items()):
            if name.startswith(begin):
                stem, _, ending = name.rpartition(".")
                how = ENDINGS.get(f".{ending}") if stem else None
                yield (stem if how else name).removeprefix(self._base), len(stored), how

    def _objects(self) -> dict[str, bytes]:
        from cloudfiles.connectionpools import MEMORY_DATA

        objects: dict[str, bytes] = MEMORY_DATA.setdefault(self._bucket, {})
        return objects

    def _fetch(self, key: str, most: int | None = None) -> Stored | None:  # noqa: ARG002 - what is in memory has been read
        objects = self._objects()
        for ending, how in ENDINGS.items():
            stored = objects.get(self._base + key + ending)
            if stored is not None:
                return stored, how
        return None

    def _fetch_range(self, key: str, start: int, stop: int) -> bytes | None:
        stored = self._fetch(key)
        if stored is not None and stored[1] is not None:
            raise refuse_range(self.url, key)
        return None if stored is None else stored[0][start:stop]

    def _store(self, key: str, stored: bytes | bytearray, how: Compression | None, content_type: str) -> None:  # noqa: ARG002 - memory has no content type
        objects = self._objects()
        objects[self._base + key + ENDING[how]] = bytes(stored)
        for ending in ENDINGS:
            if ending != ENDING[how]:
                objects.pop(self._base + key + ending, None)

    def _has(self, key: str) -> bool:
        return any(self._base + key + ending in self._objects() for ending in ENDINGS)

    def _remove(self, key: str) -> None:
        for ending in ENDINGS:
            self._objects().pop(self._base + key + ending, None)
