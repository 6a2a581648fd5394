"""Walks through a piece block by block, and writes the mips that are made of it; shards appear as they become whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.box_writer import BoxWriter
from teravox.pipeline.layers.chunk_source import ChunkSource
from teravox.pipeline.layers.encoding import compression_of
from teravox.pipeline.layers.mips_made import Nest, Result
from teravox.pipeline.layers.one_pass import Pass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type


def make_mips(plan: Pass, piece: Box, *, fill_missing: bool, compress: str, level: int | None) -> None:
    """Write what a piece becomes in every mip of a pass; it may run twice, and beside every other piece.

    `compress` is what the option of that name says, and `level` its level.
    """
    _Walk(plan, piece, fill_missing=fill_missing, compress=compress, level=level).go(piece, plan.made.nests)


class _Walk:
    """A piece that is on its way: the buffer for its blocks, and the writers of the shards that are not whole yet."""

    def __init__(self, plan: Pass, piece: Box, *, fill_missing: bool, compress: str, level: int | None) -> None:
        import numpy as np

        self._plan = plan
        self._made = plan.made
        self._compress = compress
        self._level = level
        self._source = ChunkSource(plan.made.layer, plan.made.mip, fill_missing=fill_missing)
        self._block = plan.block(piece.size)
        self._writers: dict[int, BoxWriter] = {}
        self._buffer = np.empty(math.prod(self._block) * plan.made.layer.info.num_channels, plan.made.layer.dtype)

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
        from teravox.kernels.downsample import downsample

        plan, made = self._plan, self._made
        voxels = self._buffer[: block.voxels * made.layer.info.num_channels]
        voxels = voxels.reshape((*block.size, made.layer.info.num_channels), order="F")
        self._source.fill(block, voxels)
        mips = downsample(voxels, made.factor, len(made.above), plan.wish.method, sparse=plan.wish.sparse)
        for result in made.results(block):
            part = mips.pop(0)
            if result.scale.sharding is not None:
                self._writers[result.step].write(result.box, part)
                continue
            with self._writer(result) as writer:
                writer.write(result.box, part)

    def _writer(self, result: Result) -> BoxWriter:
        made = self._made
        how = compression_of(self._compress, result.scale.encoding)
        return made.layer.writer(result.box, made.mip + result.step, compress=how, level=self._level)
