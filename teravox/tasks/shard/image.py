"""`teravox shard image`: a layer's chunks in shards."""

from __future__ import annotations

import msgspec

from teravox.pipeline.layers.transfer.job import CopyJob
from teravox.pipeline.layers.transfer.wish import Wish
from teravox.pipeline.options import Dest, FillMissing, Memory, Source


class Image(CopyJob, frozen=True, rename={"memory_limit": "memory"}):
    """Put all mips of a layer into shards, few large files.

    Chunks are copied without decoding them. It is short for `teravox image transfer LAYER DEST --all-mips --sharded`,
    which has more options. Meshes, skeletons and segment properties are not copied.
    """

    layer: Source
    dest: Dest
    fill_missing: FillMissing = False
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        return Wish(
            source=self.layer,
            dest=self.dest,
            mip=0,
            all_mips=True,
            sharded=True,
            fill_missing=self.fill_missing,
            memory_limit=self.memory_limit,
        )

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), "shard image", msgspec.to_builtins(self))
