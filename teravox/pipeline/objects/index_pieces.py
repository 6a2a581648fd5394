"""What the kinds that write a spatial index have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.job import Job
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Json
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.objects.forged import Forged

Dir = Annotated[str, says("Folder of the layer, as it was given to forge.")]


class IndexPieces(Job[Box], frozen=True):
    """A job that writes a file for each piece of a forge; its kind says of which sort, and which folder is usual."""

    sort: ClassVar[Sort]

    layer: Layer
    dir: Dir

    def prepare(self) -> None:
        self._open(fresh=True)

    def pieces(self) -> Sequence[Box]:
        _, forged, _ = self._open()
        return forged.grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.base_memory import LIBRARIES
        from teravox.pipeline.objects.spatial import ROW, open_fragments

        layer, forged, _ = self._open()
        return LIBRARIES + ROW * open_fragments(layer, self.sort, forged, piece).labels

    def run(self, piece: Box) -> None:
        from teravox.pipeline.objects.spatial import encode_spatial, label_boxes

        layer, forged, _ = self._open(fresh=True)
        data = encode_spatial(*label_boxes(layer, self.sort, forged, piece))
        layer.store.put(self.outputs(piece)[0], data, compress="gzip", content_type="application/json")

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.objects.spatial import spatial_name

        _, forged, folder = self._open()
        return [f"{folder}/{spatial_name(forged, piece)}"]

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.objects.result_folder import write_object_info
        from teravox.pipeline.objects.spatial import WORD, say_index

        layer, forged, folder = self._open(fresh=True)
        raw = self.info(layer, folder)
        write_object_info(layer.store, folder, raw | {"mip": forged.mip, WORD: say_index(forged)})
        record_processing(layer.store, f"{self.sort.one} index create", msgspec.to_builtins(self))

    def info(self, layer: OpenLayer, folder: str) -> Json:
        """The info of the objects in a folder, as it is."""
        raise NotImplementedError

    def _open(self, *, fresh: bool = False) -> tuple[OpenLayer, Forged, str]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.objects.named_folder import named_folder
        from teravox.pipeline.objects.spatial import forged_whole

        layer = OpenLayer.open(self.layer, fresh=fresh)
        return layer, forged_whole(layer, self.sort, self.dir), named_folder(layer, self.sort)
