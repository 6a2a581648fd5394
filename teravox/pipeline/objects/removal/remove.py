"""What the kinds that remove the objects of a layer have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from teravox.pipeline.job import Job
from teravox.pipeline.objects.removal.names import Beginning
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer

NEEDED = 200_000_000  # bytes: libraries, and some keys


class RemoveObjects(Job[Beginning], frozen=True):
    """A job that removes a folder of objects; its kind says of which sort, and in what form they are."""

    sort: ClassVar[Sort]

    layer: Layer
    dir: Annotated[str | None, says("Folder within the layer. Default: the one that its info names.")] = None

    def form(self, layer: OpenLayer, folder: str) -> str:
        """The word for the form of the objects in a folder."""
        raise NotImplementedError

    def question(self) -> str:
        from teravox.pipeline.objects.removal.named import say_what

        layer = self._open()
        folder = self._folder(layer)
        return say_what(layer, self.sort, folder, self.form(layer, folder))

    def prepare(self) -> None:
        from teravox.pipeline.objects.removal.named import stop_naming

        layer = self._open()
        stop_naming(layer, self.sort, self._folder(layer))

    def pieces(self) -> Sequence[Beginning]:
        from teravox.pipeline.objects.removal.names import parts_of

        return parts_of(self._folder(self._open()))

    def memory(self, piece: Beginning) -> int:  # noqa: ARG002 - keys take next to nothing
        return NEEDED

    def run(self, piece: Beginning) -> None:
        from teravox.pipeline.objects.removal.named import refuse_named
        from teravox.pipeline.objects.removal.names import keys_of
        from teravox.pipeline.objects.result_folder import check_dir

        layer = self._open()
        check_dir(layer, self.sort, piece.folder)
        refuse_named(layer, self.sort, piece.folder)
        layer.store.delete(keys_of(layer.store, piece.folder, piece.begins))

    def outputs(self, piece: Beginning) -> Sequence[str]:  # noqa: ARG002 - nothing is left
        return []

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.objects.removal.named import forget_folder, going_folder

        layer = self._open()
        folder = self.dir or going_folder(layer, self.sort)
        if folder is not None:
            forget_folder(layer, self.sort, folder)
        record_processing(layer.store, f"{self.sort.one} rm", msgspec.to_builtins(self))

    def _open(self) -> OpenLayer:
        from teravox.pipeline.layers.layer import Layer as OpenLayer

        return OpenLayer.open(self.layer, fresh=True)

    def _folder(self, layer: OpenLayer) -> str:
        from teravox.pipeline.objects.removal.named import folder_to_remove

        return folder_to_remove(layer, self.sort, self.dir)
