"""`teravox image rm`: chunks are removed for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.job import Job
from teravox.pipeline.options import Bounds, Layer, says
from teravox.pipeline.removal.part import Part

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.removal.plan import Parts


class Rm(Job[Part], frozen=True):
    """Remove the voxels of mips, or of a part of one, for ever.

    It says what it is going to remove and asks, unless --yes is given. Only chunks and shards go: their keys follow
    from the info, and nothing else is ever touched. When whole mips are gone the info is shortened, so they must be
    the highest ones; mip 0 stays in the info, without data. With --bounds the info stays as it is.

        teravox image rm ./seg --mip 2 --num-mips 3
    """

    layer: Layer
    mip: Annotated[int, Meta(ge=0), says("The first mip to remove.")]
    num_mips: Annotated[int, Meta(ge=1), says("How many mips to remove, from --mip up.")] = 1
    bounds: Bounds = None

    def question(self) -> str:
        from teravox.pipeline.removal.plan import say_removal

        layer = self._open(fresh=True)
        return say_removal(layer, self._parts(layer), self.mip, self.num_mips, self.bounds)

    def prepare(self) -> None:
        self._parts(self._open(fresh=True))

    def pieces(self) -> Sequence[Part]:
        return self._parts(self._open())

    def memory(self, piece: Part) -> int:  # noqa: ARG002 - keys take next to nothing
        return LIBRARIES

    def run(self, piece: Part) -> None:
        from teravox.pipeline.removal.plan import keys_of

        layer = self._open(fresh=True)
        layer.store.delete(keys_of(layer, piece))

    def outputs(self, piece: Part) -> Sequence[str]:  # noqa: ARG002 - nothing is left
        return []

    def removes(self, piece: Part) -> Sequence[str]:
        from teravox.pipeline.removal.plan import keys_of

        return keys_of(self._open(), piece)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.removal.plan import shorten_info

        layer = self._open(fresh=True)
        shorten_info(layer, self.mip, self.bounds)
        record_processing(layer.store, "image rm", msgspec.to_builtins(self))

    def _open(self, *, fresh: bool = False) -> OpenLayer:
        from teravox.pipeline.layers.layer import Layer as OpenLayer

        return OpenLayer.open(self.layer, fresh=fresh)

    def _parts(self, layer: OpenLayer) -> Parts:
        from teravox.pipeline.removal.plan import parts_of

        return parts_of(layer, self.mip, self.num_mips, self.bounds)
