"""`teravox shard mesh`: a layer's meshes in shards."""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.meshes.copying.job import CopyMeshes
from teravox.pipeline.objects.copying.job import ShardObjects


class Mesh(ShardObjects, CopyMeshes, frozen=True):
    """Put the meshes of a layer into shards, few large files.

    Levels of detail are copied without decoding them; a legacy mesh becomes one of a single level. It is short for
    `teravox mesh transfer LAYER DEST --format sharded`, which has more options.
    """

    kind: ClassVar[str] = "shard mesh"
