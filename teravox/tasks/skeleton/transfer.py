"""`teravox skeleton transfer`: skeletons from layer to layer."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from teravox.pipeline.objects.copying.job import TransferObjects
from teravox.pipeline.options import says
from teravox.pipeline.skeletons.copy_job import CopySkeletons


class Transfer(TransferObjects, CopySkeletons, frozen=True):
    """Copy skeletons to another layer, as they are or in another form.

    They are not decoded on the way, so vertices and attributes stay as they are. The layer DEST names the copy when all
    of it is there, and keeps its old skeletons until then; where there is no layer yet, one is made with the first mip of
    SOURCE, without voxels.

        teravox skeleton transfer ./seg ./public --format sharded
    """

    kind: ClassVar[str] = "skeleton transfer"

    format: Annotated[
        Literal["auto", "legacy", "sharded"],
        says("legacy: one file for each label; sharded: few large files; auto: as the source."),
    ] = "auto"
