"""What the kinds that remove fragments and earlier results have in common."""

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
    from teravox.pipeline.objects.removal.stale import Stale

NEEDED = 200_000_000  # bytes: libraries, and some keys


class CleanObjects(Job[Beginning], frozen=True):
    """A job that removes what is left beside the objects of a layer; its kind says of which sort."""

    sort: ClassVar[Sort]

    layer: Layer
    keep_fragments: Annotated[
        bool, says("Keep the fragments of the last forge, so that they can be merged in another way.")
    ] = False
    abandon: Annotated[
        bool,
        says(
            "Give up what the ledger knows as unfinished: the forge, merge or transfer that has left these things. "
            "Without it nothing is removed then."
        ),
    ] = False
    dir: Annotated[
        str | None,
        says("Folder within the layer, as forge and merge were given it. Default: by what the info names."),
    ] = None

    def question(self) -> str | None:
        from teravox.pipeline.objects.removal.stale import say_stale

        layer, base = self._open()
        return say_stale(layer, self.sort, base, self._find(layer, base))

    def prepare(self) -> None:
        from teravox.pipeline.objects.removal.stale import write_stale

        layer, base = self._open()
        write_stale(layer, base, self._find(layer, base))

    def pieces(self) -> Sequence[Beginning]:
        from teravox.pipeline.objects.removal.names import parts_of

        return parts_of(self._open()[1])

    def memory(self, piece: Beginning) -> int:  # noqa: ARG002 - keys take next to nothing
        return NEEDED

    def run(self, piece: Beginning) -> None:
        from teravox.pipeline.objects.removal.names import keys_of
        from teravox.pipeline.objects.removal.stale import read_stale

        layer, _ = self._open()
        for one in read_stale(layer, self.sort, piece.folder):
            layer.store.delete(keys_of(layer.store, one.folder, piece.begins))

    def outputs(self, piece: Beginning) -> Sequence[str]:  # noqa: ARG002 - nothing is left
        return []

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.objects.removal.stale import forget_stale
        from teravox.pipeline.objects.removal.under_way import find_under_way

        layer, base = self._open()
        if self.abandon:
            for one in find_under_way(layer, self.sort, base):
                one.ledger.remove()
        forget_stale(layer, self.sort, base)
        record_processing(layer.store, f"{self.sort.one} clean", msgspec.to_builtins(self))

    def _find(self, layer: OpenLayer, base: str) -> list[Stale]:
        """What can go; BadUsage where somebody still needs it."""
        from teravox.pipeline.objects.removal.stale import find_stale
        from teravox.pipeline.objects.removal.under_way import refuse_under_way

        if not self.abandon:
            refuse_under_way(layer, self.sort, base)
        return find_stale(layer, base, keep_fragments=self.keep_fragments)

    def _open(self) -> tuple[OpenLayer, str]:
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.objects.removal.stale import base_dir

        layer = OpenLayer.open(self.layer, fresh=True)
        return layer, base_dir(layer, self.sort, self.dir)
