"""An overlay: what is read comes from where it is, and what is written goes to a scratch, so that trying a job changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from teravox.pipeline.store import Compression, Store

Changes = dict[str, bool]  # key → whether it was written; False: it was deleted


class OverlayStore:
    """A store that is read where the scratch has nothing, and never written or deleted from."""

    can_append = False

    def __init__(self, under: Store, over: Store, changes: Changes) -> None:
        self.url = under.url
        self._under = under
        self._over = over
        self._changes = changes

    def get(self, key: str) -> bytes | None:
        return self._holder(key).get(key)

    def get_stored(self, key: str, *, most: int | None = None) -> tuple[bytes, Compression | None] | None:
        return self._holder(key).get_stored(key, most=most)

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        return self._holder(key).get_range(key, start, stop)

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        keys = list(keys)
        changed = [key for key in keys if key in self._changes]
        return self._under.get_many(key for key in keys if key not in self._changes) | self._over.get_many(changed)

    def put(
        self,
        key: str,
        data: bytes | bytearray,
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self._over.put(key, data, compress=compress, level=level, content_type=content_type)
        self._changes[key] = True

    def put_stored(
        self,
        key: str,
        stored: bytes | bytearray,
        how: Compression | None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        self._over.put_stored(key, stored, how, content_type=content_type)
        self._changes[key] = True

    def put_parts(
        self,
        key: str,
        parts: Iterable[bytes],
        how: Compression | None = None,
        *,
        content_type: str = "application/octet-stream",
    ) -> None:
        self._over.put_parts(key, parts, how, content_type=content_type)
        self._changes[key] = True

    def put_many(
        self,
        objects: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        compress: Compression | None = None,
        level: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        pairs = dict(objects)
        self._over.put_many(pairs, compress=compress, level=level, content_type=content_type)
        self._changes.update(dict.fromkeys(pairs, True))

    def append(self, key: str, data: bytes) -> None:
        self.put(key, (self.get(key) or b"") + data)

    def exists(self, keys: Iterable[str]) -> dict[str, bool]:
        keys = list(keys)
        return self._under.exists(key for key in keys if key not in self._changes) | {
            key: self._changes[key] for key in keys if key in self._changes
        }

    def list(self, prefix: str = "") -> Iterator[str]:
        return iter({key for key, _, _ in self.list_sizes(prefix)})

    def list_sizes(self, prefix: str = "") -> Iterator[tuple[str, int, Compression | None]]:
        yield from (row for row in self._over.list_sizes(prefix) if self._changes.get(row[0]))
        yield from (row for row in self._under.list_sizes(prefix) if row[0] not in self._changes)

    def delete(self, keys: Iterable[str]) -> None:
        self._changes.update(dict.fromkeys(keys, False))

    def _holder(self, key: str) -> Store:
        """Which of both has a key, if it is there at all."""
        if key not in self._changes:
            return self._under
        if not self._changes[key]:
            self._over.delete([key])
        return self._over


class Overlay:
    """The overlays of all stores that are opened while it is laid; what is written goes below one scratch."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._changes: dict[str, Changes] = {}

    def over(self, under: Store, open_plainly: Callable[[str], Store]) -> Store:
        """The overlay of a store."""
        name = hashlib.sha256(under.url.encode()).hexdigest()[:16]
        changes = self._changes.setdefault(under.url, {})
        return OverlayStore(under, open_plainly(f"{self._scratch}/{name}"), changes)

    def has_written(self, url: str, key: str) -> bool:
        """Whether an object was written to the scratch, and not where it belongs."""
        return self._changes.get(url, {}).get(key, False)


_laid: list[Overlay] = []  # of the whole process, since its threads open stores too


def laid_overlay() -> Overlay | None:
    """The overlay that holds now."""
    return _laid[-1] if _laid else None


@contextmanager
def lay_overlay(scratch: str) -> Iterator[Overlay]:
    """Have all stores overlaid that are opened in this process from now on."""
    overlay = Overlay(scratch)
    _laid.append(overlay)
    try:
        yield overlay
    finally:
        _laid.pop()
