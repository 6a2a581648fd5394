"""`teravox shard skeleton`: a layer's skeletons in shards."""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.objects.copying.job import ShardObjects
from teravox.pipeline.skeletons.copy_job import CopySkeletons


class Skeleton(ShardObjects, CopySkeletons, frozen=True):
    """Put the skeletons of a layer into shards, few large files.

    They are not decoded on the way. It is short for `teravox skeleton transfer LAYER DEST --format sharded`, which has
    more options.
    """

    kind: ClassVar[str] = "shard skeleton"
