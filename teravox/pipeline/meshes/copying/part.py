"""What one task copies."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The labels whose hash lies in one part: those of a shard, where there are shards."""

    shard: int
