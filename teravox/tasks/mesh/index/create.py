"""`teravox mesh index create`: files that say which labels have a surface in which box."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from teravox.pipeline.objects.index_pieces import Dir, IndexPieces
from teravox.pipeline.objects.sort import MESH, Sort

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.layer import Layer as OpenLayer


class Create(IndexPieces, frozen=True):
    """Write a spatial index of the meshes, by which labels are found.

    CloudVolume asks it for the labels in a box. It is made of what the forge has left, so before `mesh clean`, and reads
    no voxels. The files lie in the folder of the meshes, one for each piece of the forge, and are named in its info when
    all of them are there.

        teravox mesh index create ./seg
    """

    sort: ClassVar[Sort] = MESH

    dir: Dir = MESH.one

    def info(self, layer: OpenLayer, folder: str) -> Json:
        from teravox.pipeline.meshes.mesh_info import read_mesh_info

        return read_mesh_info(layer.store, folder)[1]
