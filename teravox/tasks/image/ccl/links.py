"""`teravox image ccl links`: which components touch across the faces of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components.declaration import Labelling

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Traffic


class Links(Labelling[Box], frozen=True):
    """Find which components touch across faces of boxes: second stage of four.

    It takes the options of `teravox image ccl faces`, which must be done.
    """

    def prepare(self) -> None:
        from teravox.pipeline.components import surface_file
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.stage_files import require_stage

        plan = make_plan(self, fresh=True)
        require_stage(plan.store, self.folder, surface_file.STAGE, len(plan.grid), "faces")

    def pieces(self) -> Sequence[Box]:
        from teravox.pipeline.components.plan import make_plan

        return make_plan(self).grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.components.linking import linking_bytes
        from teravox.pipeline.components.plan import make_plan

        return LIBRARIES + linking_bytes(make_plan(self), self.folder, piece, self.connectivity)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.components.linking import link
        from teravox.pipeline.components.plan import make_plan

        plan = make_plan(self)
        plan.store.put(self.outputs(piece)[0], link(plan, self.folder, piece, self.connectivity))

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.components.linking import keys_read
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.planning.traffic import Objects, Traffic, info_of

        keys = keys_read(make_plan(self), self.folder, piece, self.connectivity)
        return Traffic(
            [*2 * [info_of(self.source)], Objects(self.dest, keys)],
            [Objects(self.dest, self.outputs(piece))],
            kept=False,
        )

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.components.groups import LINKS
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.stage_files import file_key

        plan = make_plan(self)
        return [file_key(self.folder, LINKS, plan.index(plan.cell(piece)))]
