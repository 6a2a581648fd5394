"""A set of task ids in sixteen bytes each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby

WIDTH = 16


class IdSet:
    """Ids of 32 hexadecimal digits, sorted and packed; a million take 16 MB."""

    def __init__(self, ids: Iterable[str]) -> None:
        packed = b"".join(map(bytes.fromhex, ids))
        chunks = sorted(packed[at : at + WIDTH] for at in range(0, len(packed), WIDTH))
        self._packed = b"".join(chunk for chunk, _ in groupby(chunks))

    def __len__(self) -> int:
        return len(self._packed) // WIDTH

    def __iter__(self) -> Iterator[str]:
        return (self._at(index).hex() for index in range(len(self)))

    def __contains__(self, id: object) -> bool:
        if not isinstance(id, str) or not self._packed:
            return False
        wanted = bytes.fromhex(id)
        at = bisect_left(range(len(self)), wanted, key=self._at)
        return at < len(self) and self._at(at) == wanted

    def _at(self, index: int) -> bytes:
        return self._packed[index * WIDTH : (index + 1) * WIDTH]
