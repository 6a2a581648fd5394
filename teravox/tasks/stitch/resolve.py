"""`teravox stitch resolve`: which labels of blocks are one body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.options import says
from teravox.pipeline.stitching.declaration import Joining

if TYPE_CHECKING:
    from teravox.pipeline.components.groups import Groups
    from teravox.pipeline.components.hierarchy import Step
    from teravox.pipeline.planning.traffic import Traffic


class Resolve(Joining[Box], frozen=True):
    """Find which labels of blocks are one body: second stage of three.

    Step 1 asks the rule which labels of each block are joined with which of its neighbours, by the tables that
    `stitch match` has left. The further steps join them, group of blocks by group of blocks: a task passes on only what
    touches the faces of its group, so none holds the whole. Run it with --step 1, then --step 2, and so on, until it says
    that no step follows; `teravox stitch auto` does so.
    """

    step: Annotated[int, Meta(ge=1), says("Which step to do; those before must be done.")] = 1

    @property
    def steps(self) -> int:
        """How many steps there are for these blocks."""
        return 1 + len(self._groups().hierarchy.steps())

    def prepare(self) -> None:
        from teravox.pipeline.stitching.checks import check_memory, require_tables

        self.choice.make_rule()
        segmented, groups = self.segmented(), self._groups()
        if self.step > self.steps:
            raise BadUsage(f"--step: {self.steps} are enough for these blocks, got {self.step}")
        if self.step == 1:
            require_tables(segmented)
        else:
            groups.require_parts(self._step(groups))
            check_memory(self.memory_limit, max(map(self.memory, self.pieces())), "take a smaller --group")

    def pieces(self) -> Sequence[Box]:
        if self.step == 1:
            return self.segmented().blocks
        groups = self._groups()
        return groups.hierarchy.grids[self._step(groups).level]

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.stitching.choosing import choosing_bytes

        if self.step == 1:
            segmented = self.segmented()
            return LIBRARIES + choosing_bytes(segmented, segmented.blocks.number_of(piece))
        groups = self._groups()
        step = self._step(groups)
        return LIBRARIES + groups.memory(step, groups.hierarchy.index(step.level, piece))

    def run(self, piece: Box) -> None:
        from teravox.pipeline.stitching.choosing import choose

        if self.step == 1:
            segmented = self.segmented()
            index = segmented.blocks.number_of(piece)
            segmented.store.put(self.outputs(piece)[0], choose(segmented, index, self.choice.make_rule()))
        else:
            groups = self._groups()
            step = self._step(groups)
            groups.run(step, groups.hierarchy.index(step.level, piece))

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Bytes, Objects, Traffic
        from teravox.pipeline.stitching.choosing import keys_read

        groups = self._groups()
        if self.step == 1:
            segmented = self.segmented()
            keys, own, looks = keys_read(segmented, segmented.blocks.number_of(piece)), 0, 3
        else:
            step = self._step(groups)
            keys = groups.inputs(step, groups.hierarchy.index(step.level, piece))
            own, looks = int(step.does == "join and hand down"), 1  # what it has joined is read again
        return Traffic(
            [self.looks(looks), Bytes(0, own), Objects(self.layer, keys)],
            [Objects(self.layer, self.outputs(piece))],
            kept=False,
        )

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.components.groups import LINKS
        from teravox.pipeline.components.stage_files import file_key

        groups = self._groups()
        if self.step == 1:
            return [file_key(groups.folder, LINKS, self.segmented().blocks.number_of(piece))]
        step = self._step(groups)
        return groups.outputs(step, groups.hierarchy.index(step.level, piece))

    def report(self) -> str:
        if self.step < self.steps:
            return f"This was step {self.step} of {self.steps}; go on with --step {self.step + 1}."
        return f"There are {self._groups().total():,} bodies. Write them with: teravox stitch relabel"

    def _groups(self) -> Groups:
        from teravox.pipeline.stitching.groups import make_groups

        return make_groups(self, self.segmented())

    def _step(self, groups: Groups) -> Step:
        return groups.hierarchy.steps()[self.step - 2]
