"""`teravox evaluate count`: which labels of two layers lie on the same voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.evaluation.declaration import Evaluation

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Traffic


class Count(Evaluation[Box], frozen=True):
    """Count which labels of A and B lie on the same voxels; stage 1 of 3.

    What it counts is added up by `evaluate reduce --side a` and then `--side b`. Give the same options to all of them;
    `teravox evaluate` does so. Each voxel is read here, once.
    """

    def prepare(self) -> None:
        from teravox.pipeline.evaluation.heat_map import create_heat_map
        from teravox.pipeline.evaluation.plan import make_plan
        from teravox.pipeline.evaluation.reducing import room_for_rows

        plan = make_plan(self, fresh=True)
        room_for_rows(self)
        if self.heat_map is not None:
            create_heat_map(self, plan)

    def pieces(self) -> Sequence[Box]:
        from teravox.pipeline.evaluation.plan import make_plan

        return make_plan(self).grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.evaluation.counting_memory import counting_bytes
        from teravox.pipeline.evaluation.plan import make_plan

        plan = make_plan(self)
        return counting_bytes(self, plan, plan.compared(piece))

    def run(self, piece: Box) -> None:
        from teravox.pipeline.evaluation.counting import count_piece
        from teravox.pipeline.evaluation.json_files import put_json
        from teravox.pipeline.evaluation.places import bodies_key, pairs_key, regions_key
        from teravox.pipeline.evaluation.plan import make_plan
        from teravox.pipeline.sorted_rows.file import encode_rows

        plan = make_plan(self, fresh=True)
        found = count_piece(self, plan, piece)
        index = plan.index(piece)
        if self.heat_map is not None:
            put_json(plan.store, regions_key(self.folder, index), found.regions)
        plan.store.put(bodies_key(self.folder, index), encode_rows(found.bodies))
        plan.store.put(pairs_key(self.folder, index), encode_rows(found.pairs))

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.evaluation.places import bodies_key, pairs_key, regions_key
        from teravox.pipeline.evaluation.plan import make_plan

        index = make_plan(self).index(piece)
        regions = [] if self.heat_map is None else [regions_key(self.folder, index)]
        return [*regions, bodies_key(self.folder, index), pairs_key(self.folder, index)]

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.evaluation.plan import make_plan
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        plan = make_plan(self)
        box = plan.compared(piece)
        reads = [Chunks(plan.a, plan.mip_a, plan.around(box, self.boundary)), Chunks(plan.b, plan.mip_b, box)]
        infos = [info_of(self.a), info_of(self.b)]
        if plan.mask is not None:
            part = plan.mask.around(box).intersect(plan.mask.layer.bounds(plan.mask.mip))
            infos.append(info_of(plan.mask.layer.url))
            reads += [] if part.is_empty else [Chunks(plan.mask.layer, plan.mask.mip, part)]
        return Traffic([*infos, *reads], [Objects(self.dest, self.outputs(piece))], kept=False)

    def finish(self) -> None:
        from teravox.pipeline.layers.provenance import record_processing
        from teravox.pipeline.storage.open import open_store

        record_processing(open_store(self.dest), "evaluate count", msgspec.to_builtins(self))
