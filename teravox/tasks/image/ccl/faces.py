"""`teravox image ccl faces`: the components of each box on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components.declaration import Labelling

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Traffic


class Faces(Labelling[Box], frozen=True):
    """Label the components of each box on its own: first stage of four.

    What touches the faces of boxes is joined by the next stages: links, resolve, relabel. Give the same options to all
    of them; `teravox image ccl auto` does so. Each voxel of SOURCE is read here, once.
    """

    def prepare(self) -> None:
        from teravox.pipeline.components.plan import make_plan

        make_plan(self, fresh=True)

    def pieces(self) -> Sequence[Box]:
        from teravox.pipeline.components.plan import make_plan

        return make_plan(self).grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.components.plan import labelling_bytes, make_plan

        plan = make_plan(self)
        return LIBRARIES + piece.voxels * labelling_bytes(plan.layer)

    def run(self, piece: Box) -> None:
        import numpy as np

        from teravox.kernels.components import count, count_chosen, cut_surface, in_range, label
        from teravox.pipeline.components.local_labels import pack_local_labels
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.surface_file import pack_surface

        plan = make_plan(self, fresh=True)
        voxels = plan.layer.read(piece, self.mip, fill_missing=self.fill_missing)[..., 0]
        strong = in_range(voxels, self.strong_gte, self.strong_lte) if self.has_strong else None
        if self.is_binary:
            voxels = in_range(voxels, self.threshold_gte, self.threshold_lte)
        labels, number = label(voxels, self.connectivity)
        surface = cut_surface(labels, number, plan.sides(piece), None if self.is_binary else voxels)
        del voxels
        if strong is not None:
            sizes = count_chosen(labels, number, strong)
        else:
            sizes = count(labels, number) if self.dust else np.ones(number, np.uint32)  # without dust, no size matters
        local, faces = self.outputs(piece)
        plan.store.put(faces, pack_surface(surface, sizes))
        plan.store.put(local, pack_local_labels(labels, piece, plan.chunks(piece)))

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        return Traffic(
            [*2 * [info_of(self.source)], Chunks(make_plan(self).layer, self.mip, piece)],
            [Objects(self.dest, self.outputs(piece))],
            kept=False,
        )

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.components.local_labels import local_key
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.surface_file import surface_key

        plan = make_plan(self)
        index = plan.index(plan.cell(piece))
        return [local_key(self.folder, index), surface_key(self.folder, index)]
