"""`teravox mesh rm`: meshes are removed for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from teravox.pipeline.objects.removal.remove import RemoveObjects
from teravox.pipeline.objects.sort import MESH, Sort

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer


class Rm(RemoveObjects, frozen=True):
    """Remove the meshes that a layer names, for ever.

    It says what it is going to remove and asks, unless --yes is given. The layer stops to name the meshes before the
    first of them goes. Everything in their folder goes, and nothing else is touched; the fragments of mesh forge stay
    (see mesh clean).

        teravox mesh rm ./seg
    """

    sort: ClassVar[Sort] = MESH

    def form(self, layer: OpenLayer, folder: str) -> str:
        from teravox.pipeline.meshes.mesh_info import read_mesh_info

        return read_mesh_info(layer.store, folder)[0].form
