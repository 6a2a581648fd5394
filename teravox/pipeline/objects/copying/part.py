"""What one task copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The labels whose hash lies in one part: those of a shard, where there are shards."""

    shard: int


class Parts(Sequence[Part]):
    """Parts by their numbers, which need not be written down one by one."""

    def __init__(self, shards: Sequence[int]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return len(self._shards)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        if isinstance(index, slice):
            return [Part(shard) for shard in self._shards[index]]
        return Part(self._shards[index])
