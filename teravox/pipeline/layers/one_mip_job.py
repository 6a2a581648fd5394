"""What jobs have in common that make a layer of one mip out of a mip of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.job import Job
from teravox.pipeline.options import (
    Compress,
    CompressLevel,
    Dest,
    EncodingLevel,
    EncodingName,
    FillMissing,
    Memory,
    Mip,
    Shape,
    Sharded,
    Source,
    says,
)

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.layers.one_mip import Plan, Wish
    from teravox.pipeline.planning.traffic import Part, Traffic
    from teravox.pipeline.store import Compression


class NewMip(msgspec.Struct, frozen=True, kw_only=True, rename={"memory_limit": "memory"}):
    """The options that say how the mip is read and stored; those of a kind come before them."""

    mip: Mip = 0
    fill_missing: FillMissing = False
    shape: Shape = None
    memory_limit: Memory = 3_500_000_000
    encoding: Annotated[Literal["auto", EncodingName], says("How DEST is encoded; auto: as SOURCE.")] = "auto"
    encoding_level: EncodingLevel = None
    chunk_size: Annotated[Vec | None, says("Size of a chunk of DEST, in voxels. Default: as SOURCE.")] = None
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    sharded: Sharded = False


class OneMipJob(NewMip, Job[Box], frozen=True):
    """A job that makes a layer of one mip; its kind says by which plan, what a piece is, and what is read for it."""

    kind: ClassVar[str]

    source: Source
    dest: Dest

    def plan(self, *, fresh: bool = False) -> Plan:
        """How it is done; the same for the same job and source."""
        raise NotImplementedError

    def reads(self, piece: Box) -> Sequence[Part]:
        """What is read for a piece besides the infos of both layers."""
        raise NotImplementedError

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        create_layer(self.dest, self.plan(fresh=True).raw)

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(self._target(self.plan())) if self.sharded else []

    def pieces(self) -> Sequence[Box]:
        return self.plan().grid

    def outputs(self, piece: Box) -> Sequence[str]:
        return self._target(self.plan()).keys(piece, 0)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Chunks, Traffic, info_of

        plan = self.plan()
        return Traffic(
            [info_of(self.source), info_of(self.dest), *self.reads(piece)],
            [Chunks(self._target(plan), 0, piece, self.compression(plan))],
        )

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), self.kind, msgspec.to_builtins(self))

    def wish(self) -> Wish:
        """What the options ask for; BadUsage where the source is to be overwritten."""
        from teravox.pipeline.layers.one_mip import Wish
        from teravox.pipeline.layers.same_place import refuse_same

        refuse_same(self.source, self.dest)
        return msgspec.convert(self, Wish, from_attributes=True)

    def compression(self, plan: Plan) -> Compression | None:
        """How the chunks are compressed."""
        from teravox.pipeline.layers.encoding import compression_of

        return compression_of(self.compress, plan.scale.encoding)

    def open_dest(self, plan: Plan) -> tuple[Layer, int]:
        """The destination and the number that its mip has there."""
        from teravox.pipeline.errors import Fatal
        from teravox.pipeline.layers.layer import Layer

        dest = Layer.open(self.dest)
        if plan.scale not in dest.info.scales:
            raise Fatal(f"layer {dest.url} no longer has the scale {plan.scale.key} that was made for this job")
        return dest, dest.info.scales.index(plan.scale)

    def _target(self, plan: Plan) -> Layer:
        """The destination as it is to be, whether it is there or not."""
        from teravox.pipeline.layers.info import encode_info
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.storage.open import open_store

        return Layer(open_store(self.dest), encode_info(plan.raw))
