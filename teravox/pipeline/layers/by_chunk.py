"""Makes mips above a box chunk by chunk, while the voxels of a chunk are in the cache; these are never held all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.chunk_source import ChunkSource, Stored
from teravox.pipeline.layers.info import Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.kernels.slabs import Method

    Array = NDArray[Any]  # of the layer's data type


class ByChunk:
    """Makes mips above boxes of a source, as many as `mips_by_chunk` of pass_memory.py allows."""

    def __init__(self, source: ChunkSource, scale: Scale, factor: Vec, method: Method, *, sparse: bool) -> None:
        self._source = source
        self._scale = scale
        self._factor = factor
        self._method = method
        self._sparse = sparse
        self._may_stay_packed = method == "mode" and factor == (2, 2, 1) and not sparse

    def fill(self, box: Box, mips: list[Array]) -> None:
        """Put what is above a box into an array for each mip."""
        from teravox.kernels.downsample import downsample
        from teravox.pipeline.layers.layer import within

        above = [self._above(box, box, step) for step in range(1, len(mips) + 1)]

        def take(chunk: Box, stored: Stored | None) -> None:
            shared = chunk.intersect(box)
            places = [
                array[within(self._above(shared, box, step), whole)]
                for step, (array, whole) in enumerate(zip(mips, above, strict=True), start=1)
            ]
            if stored is None:
                for place in places:
                    place[...] = 0
                return
            may_stay_packed = self._may_stay_packed and len(mips) == 1 and shared == chunk
            if may_stay_packed and self._source.decode_modes(chunk, stored.encoded, places[0]):
                return

            def shrink(voxels: Array) -> None:
                part = voxels[within(shared, chunk)]
                made = downsample(part, self._factor, len(mips), self._method, sparse=self._sparse)
                for place, voxels_above in zip(places, made, strict=True):
                    place[...] = voxels_above

            self._source.use_decoded(chunk, stored.encoded, shrink)

        self._source.for_each_stored(chunks_of(self._scale, box), take)

    def _above(self, part: Box, box: Box, step: int) -> Box:
        """Where a part of a box lies above it, from the box's lower corner."""
        factor = [f**step for f in self._factor]
        low = [(a - start) // f for a, start, f in zip(part.min, box.min, factor, strict=True)]
        high = [-((start - b) // f) for b, start, f in zip(part.max, box.min, factor, strict=True)]
        return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
