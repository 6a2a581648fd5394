"""`teravox shard mesh`: a layer's meshes in shards."""

from __future__ import annotations

from teravox.pipeline.meshes.copying.job import CopyMeshes
from teravox.pipeline.message import job_id
from teravox.pipeline.objects.copying.wish import Wish
from teravox.pipeline.options import Dest, Memory, Source


class Mesh(CopyMeshes, frozen=True, rename={"memory_limit": "memory"}):
    """Put the meshes of a layer into shards, few large files.

    Levels of detail are copied without decoding them; a legacy mesh becomes one of a single level. It is short for
    `teravox mesh transfer LAYER DEST --format sharded`, which has more options.
    """

    layer: Source
    dest: Dest
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        return Wish(
            kind="shard mesh",
            source=self.layer,
            dest=self.dest,
            form="sharded",
            labels=(),
            dir=None,
            memory=self.memory_limit,
            job_id=job_id("shard mesh", self),
        )
