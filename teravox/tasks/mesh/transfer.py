"""`teravox mesh transfer`: meshes from layer to layer."""

from __future__ import annotations

from typing import Annotated, ClassVar

from teravox.pipeline.meshes.copying.job import CopyMeshes, FormWord
from teravox.pipeline.objects.copying.job import TransferObjects
from teravox.pipeline.options import says


class Transfer(TransferObjects, CopyMeshes, frozen=True):
    """Copy the meshes of a layer to another one, as they are or in another form.

    Meshes with levels of detail become sharded or unsharded without decoding them; of their finest level legacy meshes
    can be made. A legacy mesh becomes one of a single level. The layer DEST names the copy when all of it is there, and
    keeps its old meshes until then; where there is no layer yet, one is made with the first mip of SOURCE, without voxels.

        teravox mesh transfer ./seg ./public --format sharded
    """

    kind: ClassVar[str] = "mesh transfer"

    format: Annotated[
        FormWord,
        says(
            "legacy: one resolution, some files for each label; multires: levels of detail, two files for each label; "
            "sharded: levels of detail, few large files; auto: as the source."
        ),
    ] = "auto"
