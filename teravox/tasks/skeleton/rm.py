"""`teravox skeleton rm`: skeletons are removed for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from teravox.pipeline.objects.removal.remove import RemoveObjects
from teravox.pipeline.objects.sort import SKELETON, Sort

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer


class Rm(RemoveObjects, frozen=True):
    """Remove the skeletons that a layer names, for ever.

    It says what it is going to remove and asks, unless --yes is given. The layer stops to name the skeletons before the
    first of them goes. Everything in their folder goes, and nothing else is touched; the fragments of skeleton forge stay
    (see skeleton clean).

        teravox skeleton rm ./seg
    """

    sort: ClassVar[Sort] = SKELETON

    def form(self, layer: OpenLayer, folder: str) -> str:
        from teravox.pipeline.skeletons.skeleton_info import read_skeleton_info

        return read_skeleton_info(layer.store, folder)[0].form
