"""`teravox skeleton transfer`: skeletons from layer to layer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from teravox.pipeline.message import job_id
from teravox.pipeline.objects.copying.wish import Wish
from teravox.pipeline.options import Dest, Memory, Source, says
from teravox.pipeline.skeletons.copy_job import CopySkeletons


class Transfer(CopySkeletons, frozen=True, rename={"memory_limit": "memory"}):
    """Copy skeletons to another layer, as they are or in another form.

    They are not decoded on the way, so vertices and attributes stay as they are. The layer DEST names the copy when all
    of it is there, and keeps its old skeletons until then; where there is no layer yet, one is made with the first mip of
    SOURCE, without voxels.

        teravox skeleton transfer ./seg ./public --format sharded
    """

    source: Source
    dest: Dest
    format: Annotated[
        Literal["auto", "legacy", "sharded"],
        says("legacy: one file for each label; sharded: few large files; auto: as the source."),
    ] = "auto"
    labels: Annotated[
        tuple[Annotated[int, Meta(gt=0)], ...], says("Only the skeletons of these labels. Default: all.")
    ] = ()
    dir: Annotated[
        str | None,
        says("Folder for the copy, within DEST. Default: as in the source; it gets an ending if it is in use."),
    ] = None
    memory_limit: Memory = 3_500_000_000

    def wish(self) -> Wish:
        return Wish(
            kind="skeleton transfer",
            source=self.source,
            dest=self.dest,
            form=self.format,
            labels=self.labels,
            dir=self.dir,
            memory=self.memory_limit,
            job_id=job_id("skeleton transfer", self),
        )
