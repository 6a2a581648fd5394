"""How one mip is copied: the scales that are made of it, and the pieces and blocks in which that is done."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.pyramid import above_box
from teravox.pipeline.layers.shapes import clip, common, enlarge, say_size
from teravox.pipeline.layers.transfer.cut import Cut
from teravox.pipeline.layers.transfer.memory import bytes_needed
from teravox.pipeline.units import say_bytes

PIECE = 1 << 27  # bytes of voxels; larger pieces are no faster
BLOCK = 1 << 26  # bytes of voxels that are worked on at once


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A mip of the source, and what is made of it: its copy, and the mips that are downsampled from it on the way."""

    source: Layer
    dest: str
    cut: Cut
    scales: tuple[Scale, ...]
    is_encoded_alike: bool
    factor: Vec
    method: Literal["average", "mode", "min", "max", "stride"]
    sparse: bool
    memory: int

    @property
    def read(self) -> Scale:
        return self.source.scale(self.cut.mip)

    @property
    def copy(self) -> Scale:
        return self.scales[0]

    @property
    def has_same_chunks(self) -> bool:
        """Whether each chunk of the copy is made of just one of the source."""
        if self.copy.chunk != self.read.chunk:
            return False
        axes = zip(self.cut.box.min, self.read.voxel_offset, self.read.chunk, strict=True)
        return all((begin - offset) % length == 0 for begin, offset, length in axes)

    def results(self, box: Box) -> Iterator[tuple[Scale, Box]]:
        """What is made of a box of the copy: itself, and what it becomes in each scale above."""
        for step, scale in enumerate(self.scales):
            yield scale, above_box(box, self.copy.bounds, scale.bounds, self.factor, step)

    def pieces(self, shape: Vec | None) -> Grid:
        """The boxes of the copy that are pieces; BadUsage where they are too large for the memory, or no whole chunks."""
        units, whole = self._units, self.copy.size
        if shape is not None and any(n % u and n < size for n, u, size in zip(shape, units, whole, strict=True)):
            raise BadUsage(
                f"--shape: pieces of the copy of {self.source.place(self.cut.mip)} must be multiples of "
                f"{say_size(units)} voxels, got {say_size(shape)}; else two of them would write one chunk or shard"
            )
        needed = self.need(clip(shape or units, whole))
        if needed > self.memory:
            raise BadUsage(
                f"--memory: pieces of {say_size(clip(shape or units, whole))} voxels of {self.source.place(self.cut.mip)} "
                f"need {say_bytes(needed)}, and {say_bytes(self.memory)} are allowed"
                f"{'; make fewer --num-mips at once, or give more' if len(self.scales) > 1 else ''}"
            )
        return Grid(self.copy.bounds, shape or self._shape())

    def blocks(self, box: Box) -> Grid:
        """The parts of a piece that are done one after another, of whole chunks of every scale."""
        return Grid(box, self._block(box.size) or box.size)

    def need(self, size: Vec) -> int:
        """The most bytes that a piece of this size takes."""
        return bytes_needed(self, size, self._block(size))

    def bytes_of(self, size: Vec) -> int:
        """What the voxels of a box of this size take."""
        return math.prod(size) * self.source.info.num_channels * self.source.info.itemsize

    @property
    def _units(self) -> Vec:
        """The smallest piece of whole chunks or shards of every scale."""
        return common([unit_of(scale, self.dest) for scale in self.scales], self.factor)

    def _shape(self) -> Vec:
        """One shard, or a shard of the source where that ends between chunks, or what is done in some seconds."""
        if self.copy.sharding is not None:
            return self._units
        whole = self.copy.size
        theirs = self._units_of_source()
        if theirs is not None and self.need(clip(theirs, whole)) <= self.memory:
            return theirs
        return enlarge(
            self._units, whole, lambda shape: self.bytes_of(shape) <= PIECE and self.need(shape) <= self.memory
        )

    def _units_of_source(self) -> Vec | None:
        """The smallest piece that is also made of whole shards of the source; None where these are no boxes."""
        if self.read.sharding is None or not self.has_same_chunks:
            return None
        try:
            theirs = unit_of(self.read, self.source.place(self.cut.mip))
        except BadInput:  # its shards hold chunks from all over the volume
            return None
        return common([theirs, self._units], (1, 1, 1))

    def _block(self, size: Vec) -> Vec | None:
        """None where chunks are copied one by one, and nothing holds many of them."""
        if self.has_same_chunks and len(self.scales) == 1:
            return None
        least = clip(common([scale.chunk for scale in self.scales], self.factor), size)

        def fits(block: Vec) -> bool:
            return self.bytes_of(block) <= BLOCK and bytes_needed(self, size, block) <= self.memory

        return clip(enlarge(least, size, fits), size)
