"""`teravox stitch match`: what neighbouring blocks say of the voxels that both have seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.stitching.declaration import Stitching

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Traffic


class Match(Stitching[Box], frozen=True):
    """Count what the labels of neighbouring blocks share: first stage of three.

    Blocks were read with a halo, so two neighbours have both labelled the voxels around the face between them. For each
    face it counts how many of these voxels two labels share; a label that lies there in several pieces is counted piece by
    piece. No rule is needed yet: `stitch resolve` decides by these tables, and another rule needs no voxel again. They are
    kept for people as Parquet files too, in LAYER/stitch/BLOCKS/overlaps.parquet.
    """

    def prepare(self) -> None:
        from teravox.pipeline.stitching.checks import check_memory, require_blocks, require_overlaps

        segmented = self.segmented()
        require_blocks(segmented)
        require_overlaps(segmented)
        check_memory(self.memory_limit, self.memory(self.pieces()[0]), "segment smaller blocks")

    def pieces(self) -> Sequence[Box]:
        return self.segmented().blocks

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.stitching.matching import matching_bytes

        segmented = self.segmented()
        return LIBRARIES + matching_bytes(segmented, segmented.blocks.number_of(piece))

    def run(self, piece: Box) -> None:
        from teravox.pipeline.stitching.matching import match
        from teravox.pipeline.stitching.overlap_file import make_table, pack_overlaps

        segmented = self.segmented()
        index = segmented.blocks.number_of(piece)
        overlaps = match(segmented, index)
        table, bundle = self.outputs(piece)
        segmented.store.put(table, make_table(segmented, index, overlaps))
        segmented.store.put(bundle, pack_overlaps(overlaps))

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Objects, Traffic
        from teravox.pipeline.stitching.matching import keys_read

        segmented = self.segmented()
        keys = keys_read(segmented, segmented.blocks.number_of(piece))
        return Traffic(
            [self.looks(2), Objects(self.layer, keys)], [Objects(self.layer, self.outputs(piece))], kept=False
        )

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.stitching.overlap_file import overlaps_key, table_key

        segmented = self.segmented()
        index = segmented.blocks.number_of(piece)
        return [table_key(segmented.id, index), overlaps_key(segmented.id, index)]

    def report(self) -> str:
        from teravox.pipeline.stitching.places import TABLES, stitch_folder

        segmented = self.segmented()
        return f"The tables of overlaps are in {segmented.store.url}/{stitch_folder(segmented.id)}/{TABLES}."
