"""How many bytes objects take as they are stored: by one listing of each prefix, and of what is yet to be written by estimates."""

from __future__ import annotations

from typing import NamedTuple

from teravox.pipeline.errors import Fatal
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store

MOST_LISTED = 500_000  # objects of a prefix whose sizes are kept; of more, the mean of these stands for all


class Listing(NamedTuple):
    """What lies below a prefix."""

    sizes: dict[str, int]  # by key; empty where nothing can be listed
    is_whole: bool
    is_told: bool  # a listing was to be had

    @property
    def mean(self) -> float | None:
        return sum(self.sizes.values()) / len(self.sizes) if self.sizes else None


class StoredSizes:
    """Sizes by store and prefix, each listed once."""

    def __init__(self, most: int = MOST_LISTED) -> None:
        self._most = most
        self._listings: dict[tuple[str, str], Listing] = {}
        self._expected: dict[tuple[str, str], float] = {}
        self._single: dict[tuple[str, str], int | None] = {}

    def listing(self, store: Store, prefix: str) -> Listing:
        """All that lies below a prefix, which ends with a slash."""
        place = (store.url, prefix)
        if place not in self._listings:
            self._listings[place] = self._list(store, prefix)
        return self._listings[place]

    def of(self, url: str, key: str) -> int | None:
        """The bytes of one object; None where it is not there."""
        place = (open_store(url).url, key)
        if place not in self._single:
            stored = open_store(url).get_stored(key)
            self._single[place] = None if stored is None else len(stored[0])
        return self._single[place]

    def expect(self, url: str, prefix: str, measure: float, size: float) -> None:
        """Remember that an earlier step will write so many bytes below a prefix, for so much of something (voxels, objects)."""
        if measure:
            self._expected[open_store(url).url, prefix] = size / measure

    def expected(self, url: str, prefix: str) -> float | None:
        """The bytes for each voxel, or for each object, that an earlier step will have written below a prefix."""
        return self._expected.get((open_store(url).url, prefix))

    def _list(self, store: Store, prefix: str) -> Listing:
        sizes: dict[str, int] = {}
        try:
            for key, size, _ in store.list_sizes(prefix):
                if len(sizes) >= self._most:
                    return Listing(sizes, is_whole=False, is_told=True)
                sizes[key] = size
        except Fatal:  # a web server lists nothing
            if not store.url.startswith(("http://", "https://")):
                raise
            return Listing({}, is_whole=False, is_told=False)
        return Listing(sizes, is_whole=True, is_told=True)
