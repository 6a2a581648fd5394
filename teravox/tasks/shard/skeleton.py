"""`teravox shard skeleton`: a layer's skeletons in shards."""

from __future__ import annotations

from teravox.pipeline.message import job_id
from teravox.pipeline.objects.copying.wish import Wish
from teravox.pipeline.options import Dest, Memory, Source
from teravox.pipeline.skeletons.copy_job import CopySkeletons


class Skeleton(CopySkeletons, frozen=True, rename={"memory_limit": "memory"}):
    """Put the skeletons of a layer into shards, few large files.

    They are not decoded on the way. It is short for `teravox skeleton transfer LAYER DEST --format sharded`, which has
    more options.
    """

    layer: Source
    dest: Dest
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        return Wish(
            kind="shard skeleton",
            source=self.layer,
            dest=self.dest,
            form="sharded",
            labels=(),
            dir=None,
            memory=self.memory_limit,
            job_id=job_id("shard skeleton", self),
        )
