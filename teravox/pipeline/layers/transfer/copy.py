"""Copies a piece: chunks as they are where they need not change, and all else by way of their voxels."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.layers.box_writer import BoxWriter
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.chunk_source import ChunkSource, Stored
from teravox.pipeline.layers.layer import within
from teravox.pipeline.layers.transfer.pieces import MipBox
from teravox.pipeline.layers.transfer.plan import Plan
from teravox.pipeline.storage.side_by_side import do_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of the layer's data type


def copy_piece(plan: Plan, piece: MipBox) -> None:
    """Write what a piece is to write; it may run twice, and beside every other piece."""
    plan.check_target()
    wish, target = plan.wish, plan.target
    with ExitStack() as stack:
        writers = []
        for mip, box in plan.results(piece):
            compress = wish.compression_of(target.scale(mip))
            writers.append(stack.enter_context(target.writer(box, mip, compress=compress, level=wish.compress_level)))
        copy = _Copy(plan, piece, writers)
        for block in copy.route.blocks(piece.box):
            copy.do(block)


class _Copy:
    """A piece that is being copied, block by block."""

    def __init__(self, plan: Plan, piece: MipBox, writers: list[BoxWriter]) -> None:
        self.route = plan.route(piece.mip)
        self._wish = plan.wish
        self._lanes = plan.target.lanes
        self._writers = writers
        self._chunks = ChunkSource(self.route.source, piece.mip, fill_missing=plan.wish.fill_missing)

    def do(self, block: Box) -> None:
        """Copy a block, and make what is above it."""
        import numpy as np

        route, layer = self.route, self.route.source
        has_mips = len(route.scales) > 1
        if route.has_same_chunks:
            voxels = None
            if has_mips:
                voxels = np.empty((*block.size, layer.info.num_channels), layer.dtype, order="F")
            self._copy_chunks(block, voxels)
        else:
            x, y, z = route.cut.shift
            there = block.shift((-x, -y, -z))
            voxels = layer.read(there, route.cut.mip, fill_missing=self._wish.fill_missing)
            self._write(0, block, voxels)
        if has_mips:
            assert voxels is not None  # since there are mips to make of it
            self._write_above(block, voxels)

    def _copy_chunks(self, block: Box, voxels: Array | None) -> None:
        """Write the chunks of a block, each from the one chunk of the source that it is a copy of; fill `voxels` with them."""
        route, shift = self.route, self.route.cut.shift
        writer = self._writers[0]

        def copy(chunk: Box, stored: Stored | None) -> None:
            inside = chunk.intersect(route.cut.box)
            copied = inside.shift(shift)
            found = None
            if stored is None:
                writer.leave_out(copied)
            else:
                found = self._copy_chunk(chunk, stored, decode=voxels is not None)
            if voxels is not None:
                voxels[within(copied, block)] = 0 if found is None else found

        x, y, z = shift
        self._chunks.for_each_stored(chunks_of(route.read, block.shift((-x, -y, -z))), copy)

    def _copy_chunk(self, chunk: Box, stored: Stored, *, decode: bool) -> Array | None:
        """Write the copy of a chunk; its voxels, if they had to be decoded."""
        import numpy as np

        route, wish, writer = self.route, self._wish, self._writers[0]
        inside = chunk.intersect(route.cut.box)
        copied = inside.shift(route.cut.shift)
        stays = route.is_encoded_alike and inside == chunk
        voxels = None
        if decode or wish.skip_background or not stays:
            whole = self._chunks.decode(chunk, stored.encoded)
            voxels = np.asarray(whole[within(inside, chunk)], route.source.dtype)
        else:
            self._chunks.check_whole(chunk, stored.encoded)
        if voxels is not None and wish.skip_background and not voxels.any():
            writer.leave_out(copied)
        elif not stays:
            assert voxels is not None  # decoded above, since they change
            writer.write(copied, voxels)
        elif wish.keeps(stored.how, route.copy):
            writer.write_packed(copied, stored.packed, stored.how)
        else:
            writer.write_encoded(copied, stored.encoded)
        return voxels

    def _write_above(self, block: Box, voxels: Array) -> None:
        from teravox.kernels.downsample import downsample

        route = self.route
        mips = downsample(voxels, route.factor, len(route.scales) - 1, route.method, sparse=route.sparse)
        for step, (_, box) in enumerate(route.results(block)):
            if step:
                self._write(step, box, mips.pop(0))

    def _write(self, step: int, box: Box, voxels: Array) -> None:
        writer = self._writers[step]
        if not self._wish.skip_background:
            writer.write(box, voxels)
            return

        def send(chunk: Box) -> None:
            part = voxels[within(chunk, box)]
            if part.any():
                writer.write(chunk, part)
            else:
                writer.leave_out(chunk)

        do_all(send, chunks_of(self.route.scales[step], box), self._lanes)
