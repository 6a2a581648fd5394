"""`teravox image downsample`: the smaller mips of a layer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import (
    Bounds,
    ChunkSize,
    Compress,
    CompressLevel,
    EncodingEffort,
    EncodingLevel,
    EncodingName,
    Factor,
    FillMissing,
    Layer,
    Memory,
    Mip,
    Shape,
    says,
)

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.layers.one_pass import Pass
    from teravox.pipeline.planning.traffic import Traffic


class Downsample(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Make the smaller mips of a layer, several in one pass.

    Cells are counted from the lower corner of the layer's bounds at --mip, whatever --bounds and --shape are; those
    that the upper faces cut off use the voxels that are there. So each piece makes whole chunks, or whole shards, of
    every mip, and all pieces together make what downsampling the whole volume at once would. --bounds is grown to
    whole chunks or shards. Averages of one pass are of the voxels of --mip, rounded to the nearest; labels take each
    mip from the one below.

    Mips that are there already are written again as they are: with their chunks, their encoding and their shards.
    """

    layer: Layer
    mip: Mip = 0
    num_mips: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says(
            "How many mips to make. Default: until one chunk covers the volume in x and y, as far as --memory allows; "
            "go on from there with --mip."
        ),
    ] = None
    factor: Factor = (2, 2, 1)
    method: Annotated[
        Literal["auto", "average", "mode", "min", "max", "stride"],
        says("How voxels become one; auto: the average of images, the most frequent label (mode) of segmentations."),
    ] = "auto"
    sparse: Annotated[bool, says("Let background (0) not count for averages and modes.")] = False
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: Shape = None
    memory_limit: Memory = 3_500_000_000
    sharded: Annotated[
        bool | None,
        says(
            "Put the chunks of the new mips together into shards, as large as --memory allows. "
            "Default: where the mip below them is sharded."
        ),
    ] = None
    chunk_size: Annotated[
        ChunkSize | None, says("Size of a chunk of the new mips. Default: that of the mip that they are made of.")
    ] = None
    encoding: Annotated[
        Literal["auto", EncodingName], says("How the new mips are encoded; auto: as the mip that they are made of.")
    ] = "auto"
    encoding_level: EncodingLevel = None
    encoding_effort: EncodingEffort = None
    compress: Compress = "auto"
    compress_level: CompressLevel = None

    def prepare(self) -> None:
        plan = self._plan(fresh=True)
        made = plan.made
        last = self.mip + len(made.above)
        if self.num_mips is None and len(made.above) < plan.wanted:
            logging.getLogger(__name__).warning(
                "this pass makes %s up to mip %d; for more run it again with --mip %d, or give more --memory or --num-mips",
                *(made.layer.url, last, last),
            )
        if plan.target is not made.layer:
            made.layer.change_info(lambda raw: raw | {"scales": plan.target.raw["scales"]})

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        plan = self._plan()
        return say_shards(plan.target, range(self.mip + 1, self.mip + 1 + len(plan.made.above)))

    def pieces(self) -> Sequence[Box]:
        return self._plan().grid

    def memory(self, piece: Box) -> int:
        return self._plan().need(piece.size)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.layers.pass_walk import make_mips

        make_mips(
            self._plan(fresh=True),
            piece,
            fill_missing=self.fill_missing,
            compress=self.compress,
            level=self.compress_level,
        )

    def outputs(self, piece: Box) -> Sequence[str]:
        plan = self._plan()
        return [key for step, _, box in plan.made.results(piece) for key in plan.target.keys(box, self.mip + step)]

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.planning.traffic import Chunks, Traffic, info_of

        plan = self._plan()
        reads = [Chunks(plan.made.layer, self.mip, block) for block in plan.blocks(piece)]
        writes = [
            Chunks(plan.target, self.mip + step, box, compression_of(self.compress, scale.encoding))
            for step, scale, box in plan.made.results(piece)
        ]
        return Traffic([info_of(self.layer), *reads], writes)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.layer), "image downsample", msgspec.to_builtins(self))

    def _plan(self, *, fresh: bool = False) -> Pass:
        from teravox.pipeline.layers.downsampling_options import method_for
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.layers.one_pass import Wish, plan_pass
        from teravox.pipeline.layers.pyramid import NewMips

        layer = OpenLayer.open(self.layer, fresh=fresh)
        self._check(layer)
        new = msgspec.convert(self, NewMips, from_attributes=True)
        return plan_pass(
            layer,
            Wish(
                mip=self.mip,
                new=new,
                method=method_for(layer, self.method),
                memory=self.memory_limit,
                mips=self.num_mips,
                sparse=self.sparse,
                bounds=self.bounds,
                shape=self.shape,
            ),
        )

    def _check(self, layer: OpenLayer) -> None:
        from teravox.pipeline.layers.downsampling_options import check_downsampling
        from teravox.pipeline.layers.encoding import check_compress_level

        for option, size in (("--shape", self.shape), ("--chunk-size", self.chunk_size)):
            if size is not None and min(size) < 1:
                raise BadUsage(f"{option}: expected three numbers from 1 up, got {size}")
        check_downsampling(layer, self.factor, self.method, sparse=self.sparse)
        check_compress_level(self.compress, self.compress_level)
