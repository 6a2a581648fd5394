"""`teravox mesh rm`: meshes are removed for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from teravox.pipeline.job import Job
from teravox.pipeline.meshes.removal.names import Beginning
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer

NEEDED = 200_000_000  # bytes: libraries, and some keys


class Rm(Job[Beginning], frozen=True):
    """Remove the meshes that a layer names, for ever.

    It says what it is going to remove and asks, unless --yes is given. The layer stops to name the meshes before the
    first of them goes. Everything in their folder goes, and nothing else is touched; the fragments of mesh forge stay
    (see mesh clean).

        teravox mesh rm ./seg
    """

    layer: Layer
    dir: Annotated[
        str | None, says("Folder of the meshes, within the layer. Default: the one that its info names.")
    ] = None

    def question(self) -> str:
        from teravox.pipeline.meshes.removal.named import say_what

        layer = self._open()
        return say_what(layer, self._folder(layer))

    def prepare(self) -> None:
        from teravox.pipeline.meshes.removal.named import stop_naming

        layer = self._open()
        stop_naming(layer, self._folder(layer))

    def pieces(self) -> Sequence[Beginning]:
        from teravox.pipeline.meshes.removal.names import parts_of

        return parts_of(self._folder(self._open()))

    def memory(self, piece: Beginning) -> int:  # noqa: ARG002 - keys take next to nothing
        return NEEDED

    def run(self, piece: Beginning) -> None:
        from teravox.pipeline.meshes.removal.named import refuse_named
        from teravox.pipeline.meshes.removal.names import keys_of
        from teravox.pipeline.meshes.result_folder import check_dir

        layer = self._open()
        check_dir(layer, piece.folder)
        refuse_named(layer, piece.folder)
        layer.store.delete(keys_of(layer.store, piece.folder, piece.begins))

    def outputs(self, piece: Beginning) -> Sequence[str]:  # noqa: ARG002 - nothing is left
        return []

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.meshes.removal.named import forget_folder, going_folder

        layer = self._open()
        folder = self.dir or going_folder(layer)
        if folder is not None:
            forget_folder(layer, folder)
        record_processing(layer.store, "mesh rm", msgspec.to_builtins(self))

    def _open(self) -> OpenLayer:
        from teravox.pipeline.layers.layer import Layer as OpenLayer

        return OpenLayer.open(self.layer, fresh=True)

    def _folder(self, layer: OpenLayer) -> str:
        from teravox.pipeline.meshes.removal.named import folder_to_remove

        return folder_to_remove(layer, self.dir)
