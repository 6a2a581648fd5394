"""`teravox segment`: bodies or classes out of an image, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.segmentation.declaration import Segmenting

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Part, Traffic
    from teravox.pipeline.segmentation.blocks import Blocks
    from teravox.pipeline.segmentation.plan import Plan
    from teravox.pipeline.segmentation.plan_file import PlanFile


class Segment(Segmenting[Box], frozen=True):
    """Segment an image block by block, by steps that can be chosen.

    Three steps are done with each block and its halo: --predict says how likely each voxel is membrane, --supervoxels
    cuts the block into small pieces by that, --agglomerate joins these to bodies. Each is a built-in step (see:
    teravox segment plugins) or a function of your own. The labels of the blocks lie in DEST/blocks, and become one
    segmentation of the whole by `teravox stitch auto DEST`. `teravox segment try` does one block and shows it.

        teravox segment ./em ./seg --predict membrane:sigma=2 --agglomerate mean-boundary:threshold=0.3

    --output classes or probabilities writes what is predicted, and nothing else is done.
    """

    def settled(self) -> Self:
        from teravox.pipeline.segmentation.settling import settle

        return settle(self)

    def prepare(self) -> None:
        from teravox.pipeline.segmentation import class_maps
        from teravox.pipeline.segmentation.plan import make_plan
        from teravox.pipeline.segmentation.planning import keep_plan
        from teravox.pipeline.segmentation.refusals import hear_refusals

        plan = make_plan(self, fresh=True)
        hear_refusals(plan)
        if self.output != "labels":
            class_maps.create(plan)
        keep_plan(plan)

    def pieces(self) -> Sequence[Box]:
        from teravox.pipeline.segmentation.refusals import hear_refusals

        plan, blocks = self._blocks()
        hear_refusals(plan)  # where nothing is prepared, but a plan is shown
        return blocks

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.segmentation.plan import make_plan

        return make_plan(self).memory(piece)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.segmentation import class_maps
        from teravox.pipeline.segmentation.plan import make_plan
        from teravox.pipeline.segmentation.planning import open_segmented
        from teravox.pipeline.segmentation.running import Block, segment_block

        plan = make_plan(self, fresh=True)
        segmented = open_segmented(plan)
        index = segmented.blocks.number_of(piece)
        block = Block(plan, index, piece, segmented.read_box(index))
        region = plan.region(given=True)
        if self.output == "labels":
            found = segment_block(block, region, plan.bodies())
            segmented.write_block(index, found.labels.T, found.preserved)
        else:
            class_maps.write_block(block, region)

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.segmentation import class_maps
        from teravox.pipeline.segmentation.segmented import outputs_of

        plan, blocks = self._blocks()
        if self.output == "labels":
            return outputs_of(plan.folder, blocks.number_of(piece))
        return class_maps.expected_layer(plan).keys(piece, 0)

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Bytes, Chunks, Objects, Traffic, info_of
        from teravox.pipeline.segmentation import class_maps
        from teravox.pipeline.segmentation.running import Block

        plan, blocks = self._blocks()
        index = blocks.number_of(piece)
        wide = Block(plan, index, piece, blocks.read_box(index)).wide
        written: Part = Objects(self.dest, self.outputs(piece))
        if self.output != "labels":
            written = Chunks(class_maps.expected_layer(plan), 0, piece, class_maps.compression(plan))
        looks = Bytes(0, 2)  # whether the plan is there
        return Traffic([info_of(self.source), looks, Chunks(plan.input.layer, plan.input.mip, wide)], [written])

    def foresee(self) -> None:
        from teravox.pipeline.segmentation.plan import make_plan
        from teravox.pipeline.segmentation.planning import open_segmented

        self.prepare()
        if self.output == "labels":
            open_segmented(make_plan(self)).publish()

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.segmentation.plan import make_plan
        from teravox.pipeline.segmentation.planning import open_segmented

        plan = make_plan(self, fresh=True)
        if self.output == "labels":
            open_segmented(plan).publish()
        record_processing(plan.dest, "segment", msgspec.to_builtins(self))

    def choices(self) -> Sequence[str]:
        from teravox.pipeline.layers.shapes import clip, say_size
        from teravox.pipeline.segmentation.kept import say_kept

        plan, blocks = self._blocks()
        said = []
        if self.shape is None:
            shape = say_size(clip(plan.shape, plan.bounds.size))
            said.append(f"Blocks have {shape} voxels (--shape), and there are {len(blocks):,}.")
        return said + say_kept(plan, len(blocks))

    def report(self) -> str | None:
        if self.output != "labels":
            return None
        return (
            f"The blocks are in {self.dest}/blocks. Join them to one segmentation with: teravox stitch auto {self.dest}"
        )

    def _blocks(self) -> tuple[Plan, Blocks]:
        from teravox.pipeline.box import Grid
        from teravox.pipeline.segmentation.blocks import Blocks
        from teravox.pipeline.segmentation.numbers import Numbers
        from teravox.pipeline.segmentation.plan import make_plan
        from teravox.pipeline.segmentation.planning import plan_file

        plan = make_plan(self)
        file: PlanFile = plan_file(plan)
        return plan, Blocks(Grid(file.bounds, file.shape), file.halo, Numbers(file.used))
