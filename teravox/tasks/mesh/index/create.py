"""`teravox mesh index create`: files that say which labels have a surface in which box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.job import Job
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.meshes.forged import Forged


class Create(Job[Box], frozen=True):
    """Write a spatial index of the meshes, by which labels are found.

    CloudVolume asks it for the labels in a box. It is made of what the forge has left, so before `mesh clean`, and reads
    no voxels. The files lie in the folder of the meshes, one for each piece of the forge, and are named in its info when
    all of them are there.

        teravox mesh index create ./seg
    """

    layer: Layer
    dir: Annotated[str, says("Folder of the layer, as it was given to mesh forge.")] = "mesh"

    def prepare(self) -> None:
        self._open(fresh=True)

    def pieces(self) -> Sequence[Box]:
        _, forged, _ = self._open()
        return forged.grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.base_memory import LIBRARIES
        from teravox.pipeline.meshes.spatial import ROW

        layer, forged, _ = self._open()
        return LIBRARIES + ROW * forged.open(layer, piece).labels

    def run(self, piece: Box) -> None:
        from teravox.pipeline.meshes.spatial import encode_spatial, label_boxes

        layer, forged, _ = self._open(fresh=True)
        data = encode_spatial(*label_boxes(layer, forged, piece))
        layer.store.put(self.outputs(piece)[0], data, compress="gzip", content_type="application/json")

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.meshes.spatial import spatial_name

        _, forged, folder = self._open()
        return [f"{folder}/{spatial_name(forged, piece)}"]

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.meshes.mesh_info import read_mesh_info, write_mesh_info
        from teravox.pipeline.meshes.spatial import WORD, say_index

        layer, forged, folder = self._open(fresh=True)
        _, raw = read_mesh_info(layer.store, folder)
        write_mesh_info(layer.store, folder, raw | {"mip": forged.mip, WORD: say_index(forged)})
        record_processing(layer.store, "mesh index create", msgspec.to_builtins(self))

    def _open(self, *, fresh: bool = False) -> tuple[OpenLayer, Forged, str]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.meshes.mesh_info import mesh_folder
        from teravox.pipeline.meshes.spatial import forged_of_meshes

        layer = OpenLayer.open(self.layer, fresh=fresh)
        return layer, forged_of_meshes(layer, self.dir), mesh_folder(layer)
