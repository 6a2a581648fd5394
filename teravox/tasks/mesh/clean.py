"""`teravox mesh clean`: fragments and earlier meshes are removed for ever."""

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


class Clean(Job[Beginning], frozen=True):
    """Remove fragments and meshes that a layer does not name any more.

    These are what mesh forge, merge and transfer have left beside the meshes of a layer. It says what it is going
    to remove and asks, unless --yes is given. Meshes that the layer names stay, and so does what others have made.

        teravox mesh clean ./seg
    """

    layer: Layer
    keep_fragments: Annotated[
        bool, says("Keep the fragments of the last mesh forge, so that they can be merged in another way.")
    ] = False
    dir: Annotated[
        str | None,
        says(
            "Folder of the meshes, as mesh forge and merge were given it. Default: by what the info names, else mesh."
        ),
    ] = None

    def question(self) -> str | None:
        from teravox.pipeline.meshes.removal.stale import find_stale, say_stale

        layer, base = self._open()
        return say_stale(layer, base, find_stale(layer, base, keep_fragments=self.keep_fragments))

    def prepare(self) -> None:
        from teravox.pipeline.meshes.removal.stale import find_stale, write_stale

        layer, base = self._open()
        write_stale(layer, base, find_stale(layer, base, keep_fragments=self.keep_fragments))

    def pieces(self) -> Sequence[Beginning]:
        from teravox.pipeline.meshes.removal.names import parts_of

        return parts_of(self._open()[1])

    def memory(self, piece: Beginning) -> int:  # noqa: ARG002 - keys take next to nothing
        return NEEDED

    def run(self, piece: Beginning) -> None:
        from teravox.pipeline.meshes.removal.names import keys_of
        from teravox.pipeline.meshes.removal.stale import read_stale

        layer, _ = self._open()
        for one in read_stale(layer, piece.folder):
            layer.store.delete(keys_of(layer.store, one.folder, piece.begins))

    def outputs(self, piece: Beginning) -> Sequence[str]:  # noqa: ARG002 - nothing is left
        return []

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.meshes.removal.stale import forget_stale

        layer, base = self._open()
        forget_stale(layer, base)
        record_processing(layer.store, "mesh clean", msgspec.to_builtins(self))

    def _open(self) -> tuple[OpenLayer, str]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.meshes.removal.stale import base_dir

        layer = OpenLayer.open(self.layer, fresh=True)
        return layer, base_dir(layer, self.dir)
