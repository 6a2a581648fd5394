"""`teravox image select`: a copy of a segmentation with some of its labels."""

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
    from teravox.pipeline.planning.traffic import Traffic
    from teravox.pipeline.selection.plan import Plan


class Select(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Copy a segmentation with the labels that a condition keeps.

    All other voxels of --mip become 0. --where asks the table that `image count` has made of SOURCE: voxels, x, y, z,
    min_x and so on, radius, at_border, and those that image count measures when it is told to. Comparisons with
    < <= > >= == != stand between `and`, and `or` between groups of these.

        teravox image select ./fibres ./long --where "voxels >= 1000 and at_border == 0"
    """

    source: Source
    dest: Dest
    where: Annotated[str, says("Which labels are kept, by columns of their table: voxels >= 100 and radius < 5000.")]
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

    bounds: ClassVar[None] = None  # all of it, as the table is
    encoding_effort: ClassVar[None] = None

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer
        from teravox.pipeline.selection.kept import choose_labels, read_condition, write_kept
        from teravox.pipeline.storage.open import open_store

        plan = self._plan(fresh=True)
        labels = choose_labels(plan.source, self.mip, read_condition(self.where))
        create_layer(self.dest, plan.raw)
        write_kept(open_store(self.dest), self._key, labels)

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(self._target(self._plan())) if self.sharded else []

    def pieces(self) -> Sequence[Box]:
        return self._plan().grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.selection.kept import count_kept
        from teravox.pipeline.selection.plan import bytes_needed
        from teravox.pipeline.storage.open import open_store

        plan = self._plan()
        labels = count_kept(open_store(self.dest), self._key)
        return 20 * labels + bytes_needed(plan.source, self.mip, piece.size, plan.scale, self.dest)

    def run(self, piece: Box) -> None:
        from teravox.kernels.segmentation.results import places_of
        from teravox.pipeline.errors import BadInput
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.selection.kept import read_kept

        plan = self._plan(fresh=True)
        dest = Layer.open(self.dest)
        if plan.scale not in dest.info.scales:
            raise BadInput(f"layer {dest.url} no longer has the scale {plan.scale.key} that was made for this job")
        labels = read_kept(dest.store, self._key)
        voxels = plan.source.read(piece, self.mip, fill_missing=self.fill_missing)
        voxels[places_of(voxels, labels) == 0] = 0
        compress = compression_of(self.compress, plan.scale.encoding)
        dest.write(piece, dest.info.scales.index(plan.scale), voxels, compress=compress, level=self.compress_level)

    def outputs(self, piece: Box) -> Sequence[str]:
        return self._target(self._plan()).keys(piece, 0)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        plan = self._plan()
        how = compression_of(self.compress, plan.scale.encoding)
        reads = [info_of(self.source), info_of(self.dest), Objects(self.dest, (self._key,))]
        return Traffic([*reads, Chunks(plan.source, self.mip, piece)], [Chunks(self._target(plan), 0, piece, how)])

    def foresee(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        create_layer(self.dest, self._plan().raw)  # the table may be one of those that are made before

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), "image select", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.selection.kept import count_kept
        from teravox.pipeline.storage.open import open_store

        return f"{count_kept(open_store(self.dest), self._key):,} labels are kept in {self.dest}."

    @property
    def _key(self) -> str:
        from teravox.pipeline.selection.kept import kept_key

        return kept_key(self.mip, self.where)

    def _plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.layers.one_mip import Wish
        from teravox.pipeline.layers.same_place import refuse_same
        from teravox.pipeline.selection.plan import plan_selection

        refuse_same(self.source, self.dest)
        wish = msgspec.convert(self, Wish, from_attributes=True)
        return plan_selection(Layer.open(self.source, fresh=fresh), wish)

    def _target(self, plan: Plan) -> Layer:
        """The destination as it is to be, whether it is there or not."""
        from teravox.pipeline.layers.info import encode_info
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.storage.open import open_store

        return Layer(open_store(self.dest), encode_info(plan.raw))
