"""`teravox image contrast histogram`: how often each value occurs in each slice of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid
from teravox.pipeline.contrast.options import LevelsPlace
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import Bounds, FillMissing, Layer, Memory, Mip, says

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.planning.traffic import Traffic


class Histogram(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Count the values of each slice of an image, for equalize.

    The counts of each slice go into small files `levels/MIP/Z0-Z1.json` beside the layer, one for each layer of
    chunks. They are of a sample of whole chunks, which are chosen by --seed and by their place alone, the same places
    in all slices: so the result does not depend on who counts what and when. Slices are independent of each other
    and channels too. --bounds is grown to whole chunks in z.

        teravox image contrast histogram ./em --coverage 0.05
    """

    layer: Layer
    mip: Mip = 0
    coverage: Annotated[
        float, Meta(gt=0, le=1), says("Part of the chunks that is looked at, at least 8 of a slice; 1 looks at all.")
    ] = 0.01
    seed: Annotated[int, Meta(ge=0, lt=1 << 32), says("Which of the possible samples is taken.")] = 0
    ignore_background: Annotated[bool, says("Do not count background (0).")] = True
    levels: LevelsPlace = None
    fill_missing: FillMissing = False
    bounds: Bounds = None
    memory_limit: Memory = 3_500_000_000

    def prepare(self) -> None:
        layer = self._open(fresh=True)
        most = self._need(layer, self._grid(layer)[0])
        if most > self.memory_limit:
            from teravox.pipeline.units import say_bytes

            raise BadUsage(
                f"--memory: counting one layer of chunks of {layer.place(self.mip)} needs {say_bytes(most)}, "
                f"and {say_bytes(self.memory_limit)} are allowed"
            )

    def pieces(self) -> Sequence[Box]:
        return self._grid(self._open())

    def memory(self, piece: Box) -> int:
        return self._need(self._open(), piece)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.contrast.count import count_slices
        from teravox.pipeline.contrast.levels import Sampling, encode_levels
        from teravox.pipeline.storage.open import open_store

        layer = self._open(fresh=True)
        counts = count_slices(
            layer, self.mip, piece, coverage=self.coverage, seed=self.seed, fill_missing=self.fill_missing
        )
        if self.ignore_background:
            counts[:, :, 0] = 0
        sampling = Sampling(
            bounds=self._grid(layer).bounds,
            coverage=self.coverage,
            seed=self.seed,
            ignore_background=self.ignore_background,
        )
        data = encode_levels(sampling, layer.info.data_type, piece.min[2], counts)
        (key,) = self.outputs(piece)
        open_store(self.home()).put(key, data, compress="gzip", content_type="application/json")

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.contrast.levels import levels_key

        return [levels_key(self.mip, piece.min[2], piece.max[2])]

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.contrast.sampling import sample_columns
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        layer = self._open()
        columns = sample_columns(layer.scale(self.mip), piece, self.coverage, self.seed)
        reads = [Chunks(layer, self.mip, column) for column in columns]
        return Traffic([info_of(self.layer), *reads], [Objects(self.home(), self.outputs(piece))])

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.home()), "image contrast histogram", msgspec.to_builtins(self))

    def home(self) -> str:
        return self.levels or self.layer

    def _open(self, *, fresh: bool = False) -> OpenLayer:
        from teravox.pipeline.contrast.grey import open_grey

        return open_grey(self.layer, fresh=fresh)

    def _grid(self, layer: OpenLayer) -> Grid:
        """The bounds, cut between the chunks in z only."""
        from teravox.pipeline.contrast.grey import cut_bounds
        from teravox.pipeline.layers.chunk_grid import align_outward

        scale = layer.scale(self.mip)
        bounds = cut_bounds(layer, self.mip, self.bounds)
        grown = align_outward(scale, bounds).intersect(scale.bounds)
        (x0, y0, _), (x1, y1, _) = bounds.min, bounds.max
        return Grid(Box((x0, y0, grown.min[2]), (x1, y1, grown.max[2])), (x1 - x0, y1 - y0, scale.chunk[2]))

    def _need(self, layer: OpenLayer, piece: Box) -> int:
        from teravox.pipeline.contrast.count import counting_bytes

        return LIBRARIES + counting_bytes(layer, self.mip, piece)
