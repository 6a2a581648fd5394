"""`teravox stitch relabel`: the bodies of the whole volume, as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components.declaration import DestEncoding
from teravox.pipeline.components.form import Form
from teravox.pipeline.options import Compress, CompressLevel, Sharded
from teravox.pipeline.stitching.declaration import Consecutive, Joining, Overwrite, StitchedDest

if TYPE_CHECKING:
    from teravox.pipeline.components.groups import Groups
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.planning.traffic import Traffic
    from teravox.pipeline.segmentation.segmented import Segmented
    from teravox.pipeline.stitching.relabelling import Target


class Relabel(Joining[Box], frozen=True):
    """Write the bodies of the whole volume: last stage of three.

    It takes the options of `teravox stitch resolve`, all of whose steps must be done. A body has the smallest id of its
    blocks' labels, which depends on nothing but where they lie; or the ids are 1, 2, 3 and so on. Preserved bodies keep
    theirs. The blocks are kept, so that another rule can follow.
    """

    dest: StitchedDest = None
    overwrite: Overwrite = False
    consecutive: Consecutive = False
    encoding: DestEncoding = "compressed_segmentation"
    sharded: Sharded = False
    compress: Compress = "auto"
    compress_level: CompressLevel = None

    @property
    def form(self) -> Form:
        """How the layer is to be stored."""
        return Form(self.encoding, self.sharded, self.compress, self.compress_level)

    def home(self) -> str:
        return self.dest or self.layer

    def prepare(self) -> None:
        from teravox.pipeline.components.destination import create
        from teravox.pipeline.stitching.checks import check_memory, require_blocks
        from teravox.pipeline.stitching.relabelling import data_type_of
        from teravox.pipeline.stitching.rewriting import begin

        self.check_destination()
        segmented, groups, target = self._plan()
        require_blocks(segmented)
        groups.require_boxes()
        groups.require_given()
        check_memory(self.memory_limit, self.memory(self.pieces()[0]), "segment smaller blocks")
        create(target, self.form, data_type_of(segmented, groups, consecutive=self.consecutive))
        begin(self)

    def check_destination(self) -> None:
        """Raise BadUsage now if the layer could not be written when all the other stages are done."""
        from teravox.pipeline.components.destination import check_free, create
        from teravox.pipeline.stitching.checks import refuse_source
        from teravox.pipeline.stitching.rewriting import refuse_to_mix
        from teravox.pipeline.storage.compression import check_level

        self.choice.make_rule()
        segmented, _, target = self._plan()
        refuse_source(segmented, self.home())
        check_level(self.form.compression, self.compress_level)
        check_free(target, self.form)
        if not self.consecutive and target.store.get("info") is not None:
            create(target, self.form, "uint64")  # where a layer is, it writes nothing, but refuses one of 32 bits
        if not self.overwrite:
            refuse_to_mix(self)

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.say_shards import say_shards

        if not self.sharded:
            return []
        return say_shards(self._expected())

    def pieces(self) -> Sequence[Box]:
        return self.segmented().blocks

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.stitching.relabelling import relabelling_bytes

        segmented, groups, _ = self._plan()
        return LIBRARIES + relabelling_bytes(segmented, groups, piece, self.form)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.stitching.relabelling import write_block

        segmented, groups, target = self._plan()
        write_block(segmented, groups, piece, target, self.form, consecutive=self.consecutive)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of
        from teravox.pipeline.segmentation.block_files import CORES, SIZES, block_key

        segmented, groups, _ = self._plan()
        index = segmented.blocks.number_of(piece)
        keys = [block_key(segmented.folder, what, index) for what in (CORES, SIZES, SIZES, SIZES)]
        return Traffic(
            [info_of(self.home()), self.looks(1), Objects(self.layer, [*groups.inputs_of(index), *keys])],
            [Chunks(self._expected(), 0, piece, self.form.compression)],
        )

    def foresee(self) -> None:
        from teravox.pipeline.components.destination import create

        self.check_destination()
        create(self._plan()[2], self.form, "uint32" if self.consecutive else "uint64")

    def outputs(self, piece: Box) -> Sequence[str]:
        return self._expected().keys(piece, 0)

    def report(self) -> str:
        segmented, groups, target = self._plan()
        told = f"{target.store.url} holds {groups.total():,} bodies"
        if len(segmented.blocks) < len(segmented.grid):
            told += "; blocks in which there was nothing to segment have no chunks: read it with --fill-missing"
        return f"{told}."

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.home()), "stitch relabel", msgspec.to_builtins(self))

    def _plan(self) -> tuple[Segmented, Groups, Target]:
        from teravox.pipeline.stitching.groups import make_groups
        from teravox.pipeline.stitching.relabelling import target_of

        segmented = self.segmented()
        return segmented, make_groups(self, segmented), target_of(segmented, self.home())

    def _expected(self) -> Layer:
        from teravox.pipeline.components.destination import expected_layer

        return expected_layer(self._plan()[2], self.form, "uint32" if self.consecutive else "uint64")
