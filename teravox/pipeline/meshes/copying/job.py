"""What the kinds that copy meshes have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from teravox.pipeline.objects.copying.job import CopyObjects

if TYPE_CHECKING:
    from teravox.pipeline.objects.copying.ways import Ways

FormWord = Literal["auto", "legacy", "multires", "sharded"]


class CopyMeshes(CopyObjects, frozen=True):
    """A job that copies meshes; its kind says what it wishes."""

    def ways(self) -> Ways:
        from teravox.pipeline.meshes.copying.ways import MeshWays

        return MeshWays()
