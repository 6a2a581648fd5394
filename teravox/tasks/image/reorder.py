"""`teravox image reorder`: the slices of a volume, in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.job import Job
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.options import (
    Bounds,
    Compress,
    CompressLevel,
    Dest,
    EncodingEffort,
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
from teravox.pipeline.reorder.mapping import Unlisted

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.planning.traffic import Traffic
    from teravox.pipeline.reorder.mapping import Mapping
    from teravox.pipeline.reorder.plan import Plan


class Reorder(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Copy a mip of a layer with its z slices in another order.

    --mapping says which slice of SOURCE each slice of DEST shows: JSON like {"0": 1, "1": 0}, or CSV with two columns,
    slice of DEST and slice of SOURCE. A slice may be shown several times, and null or an empty cell is background.
    Slices are numbered as the volume is, so from its voxel offset on. DEST has one mip, as large as --mip of SOURCE or as
    --bounds, and keeps the mapping in reorder.json.

        teravox image reorder ./em ./em-sorted --mapping order.csv --unlisted same
    """

    source: Source
    dest: Dest
    mapping: Annotated[KnownFile, says("JSON or CSV file: slice of DEST, slice of SOURCE.")]
    unlisted: Annotated[
        Unlisted,
        says("What slices of DEST show that --mapping does not list: background, or the same slice of SOURCE."),
    ] = "refuse"
    mip: Mip = 0
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: Shape = None
    memory_limit: Memory = 3_500_000_000
    encoding: Annotated[Literal["auto", EncodingName], says("How DEST is encoded; auto: as SOURCE.")] = "auto"
    encoding_level: EncodingLevel = None
    encoding_effort: EncodingEffort = None
    chunk_size: Annotated[Vec | None, says("Size of a chunk of DEST, in voxels. Default: as SOURCE.")] = None
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    sharded: Sharded = False

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer
        from teravox.pipeline.reorder.mapping import KEY, check_kept, encode_mapping
        from teravox.pipeline.storage.open import open_store

        plan = self._plan(fresh=True)
        mapping, store = self._read_mapping(plan), open_store(self.dest)
        is_kept = check_kept(store, mapping)
        create_layer(self.dest, plan.raw)
        if not is_kept:
            store.put(KEY, encode_mapping(mapping), content_type="application/json")

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        return say_shards(self._target(self._plan())) if self.sharded else []

    def pieces(self) -> Sequence[Box]:
        return self._plan().grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.reorder.plan import bytes_needed

        plan = self._plan()
        return bytes_needed(plan.source, self.mip, piece.size, plan.scale, self.dest)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.errors import BadInput
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.reorder.mapping import kept_mapping
        from teravox.pipeline.reorder.read import read_slices

        plan = self._plan(fresh=True)
        dest = Layer.open(self.dest)
        if plan.scale not in dest.info.scales:
            raise BadInput(f"layer {dest.url} no longer has the scale {plan.scale.key} that was made for this job")
        slices = kept_mapping(dest.store).of(piece.min[2], piece.max[2])
        voxels = read_slices(plan.source, self.mip, piece, slices, fill_missing=self.fill_missing)
        compress = compression_of(self.compress, plan.scale.encoding)
        dest.write(piece, dest.info.scales.index(plan.scale), voxels, compress=compress, level=self.compress_level)

    def outputs(self, piece: Box) -> Sequence[str]:
        return self._target(self._plan()).keys(piece, 0)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.layers.encoding import compression_of
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of
        from teravox.pipeline.reorder.mapping import KEY
        from teravox.pipeline.reorder.read import boxes_of

        plan = self._plan()
        slices = self._read_mapping(plan).of(piece.min[2], piece.max[2])
        reads = [Chunks(plan.source, self.mip, box) for box in boxes_of(plan.source, self.mip, piece, slices)]
        how = compression_of(self.compress, plan.scale.encoding)
        return Traffic(
            [info_of(self.source), info_of(self.dest), Objects(self.dest, (KEY,)), *reads],
            [Chunks(self._target(plan), 0, piece, how)],
        )

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), "image reorder", msgspec.to_builtins(self))

    def _plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.layers.one_mip import Wish
        from teravox.pipeline.layers.same_place import refuse_same
        from teravox.pipeline.reorder.plan import plan_reorder

        refuse_same(self.source, self.dest)
        wish = msgspec.convert(self, Wish, from_attributes=True)
        return plan_reorder(Layer.open(self.source, fresh=fresh), wish)

    def _read_mapping(self, plan: Plan) -> Mapping:
        from teravox.pipeline.reorder.mapping import read_mapping

        dest, source = plan.scale.bounds, plan.source.bounds(self.mip)
        ranges = [range(box.min[2], box.max[2]) for box in (dest, source)]
        return read_mapping(self.mapping, ranges[0], ranges[1], self.unlisted)

    def _target(self, plan: Plan) -> Layer:
        """The destination as it is to be, whether it is there or not."""
        from teravox.pipeline.layers.info import encode_info
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.storage.open import open_store

        return Layer(open_store(self.dest), encode_info(plan.raw))
