"""Makes the mip above a box chunk by chunk, while the voxels of a chunk are in the cache; these are never held all at once."""

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


class FirstMip:
    """Makes the mip above boxes of a source; for what `goes_by_chunk` of pass_memory.py allows."""

    def __init__(self, source: ChunkSource, scale: Scale, factor: Vec, method: Method, *, sparse: bool) -> None:
        self._source = source
        self._scale = scale
        self._factor = factor
        self._method = method
        self._sparse = sparse
        self._may_stay_packed = method == "mode" and factor == (2, 2, 1) and not sparse

    def fill(self, box: Box, voxels: Array) -> None:
        """Put what is above a box into an array."""
        from teravox.kernels.downsample import downsample
        from teravox.pipeline.layers.layer import within

        above = self._above(box, box)

        def take(chunk: Box, stored: Stored | None) -> None:
            shared = chunk.intersect(box)
            place = voxels[within(self._above(shared, box), above)]
            if stored is None:
                place[...] = 0
                return
            if self._may_stay_packed and shared == chunk and self._source.decode_modes(chunk, stored.encoded, place):
                return

            def shrink(voxels: Array) -> None:
                part = voxels[within(shared, chunk)]
                (place[...],) = downsample(part, self._factor, 1, self._method, sparse=self._sparse)

            self._source.use_decoded(chunk, stored.encoded, shrink)

        self._source.for_each_stored(chunks_of(self._scale, box), take)

    def _above(self, part: Box, box: Box) -> Box:
        """Where a part of a box lies above it, from the box's lower corner."""
        low = [(a - start) // f for a, start, f in zip(part.min, box.min, self._factor, strict=True)]
        high = [-((start - b) // f) for b, start, f in zip(part.max, box.min, self._factor, strict=True)]
        return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
