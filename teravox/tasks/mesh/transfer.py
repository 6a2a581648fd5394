"""`teravox mesh transfer`: meshes from layer to layer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from teravox.pipeline.meshes.copying.job import CopyMeshes, FormWord
from teravox.pipeline.message import job_id
from teravox.pipeline.objects.copying.wish import Wish
from teravox.pipeline.options import Dest, Memory, Source, says


class Transfer(CopyMeshes, frozen=True, rename={"memory_limit": "memory"}):
    """Copy the meshes of a layer to another one, as they are or in another form.

    Meshes with levels of detail become sharded or unsharded without decoding them; of their finest level legacy meshes
    can be made. A legacy mesh becomes one of a single level. The layer DEST names the copy when all of it is there, and
    keeps its old meshes until then; where there is no layer yet, one is made with the first mip of SOURCE, without voxels.

        teravox mesh transfer ./seg ./public --format sharded
    """

    source: Source
    dest: Dest
    format: Annotated[
        FormWord,
        says(
            "legacy: one resolution, some files for each label; multires: levels of detail, two files for each label; "
            "sharded: levels of detail, few large files; auto: as the source."
        ),
    ] = "auto"
    labels: Annotated[
        tuple[Annotated[int, Meta(gt=0)], ...], says("Only the meshes of these labels. Default: all.")
    ] = ()
    dir: Annotated[
        str | None,
        says("Folder for the copy, within DEST. Default: as in the source; it gets an ending if it is in use."),
    ] = None
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        return Wish(
            kind="mesh transfer",
            source=self.source,
            dest=self.dest,
            form=self.format,
            labels=self.labels,
            dir=self.dir,
            memory=self.memory_limit,
            job_id=job_id("mesh transfer", self),
        )
