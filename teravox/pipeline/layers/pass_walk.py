"""Walks through a piece block by block, and writes the mips that are made of it; shards appear as they become whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.kernels.slabs import sizes_above
from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.box_writer import BoxWriter
from teravox.pipeline.layers.by_chunk import ByChunk
from teravox.pipeline.layers.chunk_source import ChunkSource
from teravox.pipeline.layers.encoding import compression_of
from teravox.pipeline.layers.mips_made import Nest, Result
from teravox.pipeline.layers.one_pass import Pass
from teravox.pipeline.layers.pass_memory import mips_by_chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type


def make_mips(plan: Pass, piece: Box, *, fill_missing: bool, compress: str, level: int | None) -> None:
    """Write what a piece becomes in every mip of a pass; it may run twice, and beside every other piece.

    `compress` is what the option of that name says, and `level` its level.
    """
    _Walk(plan, piece, fill_missing=fill_missing, compress=compress, level=level).go(piece, plan.made.nests)


class _Walk:
    """A piece that is on its way: the buffers for its blocks, and the writers of the shards that are not whole yet."""

    def __init__(self, plan: Pass, piece: Box, *, fill_missing: bool, compress: str, level: int | None) -> None:
        self._plan = plan
        self._made = plan.made
        self._compress = compress
        self._level = level
        self._source = ChunkSource(plan.made.layer, plan.made.mip, fill_missing=fill_missing)
        self._block = plan.block(piece.size)
        self._writers: dict[int, BoxWriter] = {}
        wish = plan.wish
        self._by_chunk = ByChunk(self._source, plan.made.source, plan.made.factor, wish.method, sparse=wish.sparse)
        self._mips_by_chunk = mips_by_chunk(plan.made, wish.method, sparse=wish.sparse)
        self._buffers = self._make_buffers()

    def _make_buffers(self) -> list[Array]:
        """For the voxels of a block, or of the mips above it that are made by chunk."""
        import numpy as np

        channels, dtype = self._made.layer.info.num_channels, self._made.layer.dtype
        return [np.empty(math.prod(size) * channels, dtype) for size in self._sizes(self._block)]

    def _sizes(self, block: Vec) -> list[Vec]:
        """Of what comes of the chunks of a block."""
        if not self._mips_by_chunk:
            return [block]
        return [sizes_above(block, self._made.factor, step) for step in range(1, self._mips_by_chunk + 1)]

    def go(self, box: Box, nests: list[Nest]) -> None:
        """Walk through a box that begins and ends between the shards of these nests, one box of the largest after the other."""
        if not nests:
            for block in Grid(box, self._block):
                self._do(block)
            return
        step, size = nests[-1]
        for part in Grid(box, size):
            (result,) = (result for result in self._made.results(part) if result.step == step)
            with self._writer(result) as writer:
                self._writers[step] = writer
                self.go(part, nests[:-1])

    def _do(self, block: Box) -> None:
        mips = self._mips(block)
        for result in self._made.results(block):
            part = mips.pop(0)
            if result.scale.sharding is not None:
                self._writers[result.step].write(result.box, part)
                continue
            with self._writer(result) as writer:
                writer.write(result.box, part)

    def _mips(self, block: Box) -> list[Array]:
        """The mips above a block."""
        from teravox.kernels.downsample import downsample

        made, wish = self._made, self._plan.wish
        channels = made.layer.info.num_channels
        arrays = [
            buffer[: math.prod(size) * channels].reshape((*size, channels), order="F")
            for buffer, size in zip(self._buffers, self._sizes(block.size), strict=True)
        ]
        if self._mips_by_chunk:
            self._by_chunk.fill(block, arrays)
        else:
            self._source.fill(block, arrays[0])
        more = len(made.above) - self._mips_by_chunk
        mips = downsample(arrays[-1], made.factor, more, wish.method, sparse=wish.sparse) if more else []
        return [*(arrays if self._mips_by_chunk else []), *mips]

    def _writer(self, result: Result) -> BoxWriter:
        made = self._made
        how = compression_of(self._compress, result.scale.encoding)
        return made.layer.writer(result.box, made.mip + result.step, compress=how, level=self._level)
