"""`teravox image ccl faces`: the components of each box on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components.declaration import DestEncoding, Labelling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.components import Voxels
    from teravox.pipeline.components.plan import Plan
    from teravox.pipeline.planning.traffic import Traffic

    Mask = NDArray[np.bool_]


class Faces(Labelling[Box], frozen=True):
    """Label the components of each box on its own: first stage of four.

    What touches the faces of boxes is joined by the next stages: links, resolve, relabel. Give the same options to all
    of them; `teravox image ccl auto` does so. Each voxel of SOURCE is read here, once. With the --encoding of relabel,
    labels are kept as it needs them; with another one it has to pack them anew.
    """

    encoding: DestEncoding = "compressed_segmentation"

    def prepare(self) -> None:
        from teravox.pipeline.components.plan import make_plan

        make_plan(self, fresh=True)

    def pieces(self) -> Sequence[Box]:
        from teravox.pipeline.components.plan import make_plan

        return make_plan(self).grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.components.local_labels import packing_bytes
        from teravox.pipeline.components.plan import labelling_bytes, make_plan

        plan = make_plan(self)
        return LIBRARIES + piece.voxels * labelling_bytes(plan.layer) + packing_bytes(piece, plan.chunk)

    def run(self, piece: Box) -> None:
        import numpy as np

        from teravox.kernels.components import cut_surface
        from teravox.kernels.equal_runs import count_voxels, find_runs
        from teravox.pipeline.bundle import join_parts
        from teravox.pipeline.components.local_labels import pack_local_labels
        from teravox.pipeline.components.plan import make_plan
        from teravox.pipeline.components.surface_file import pack_surface

        plan = make_plan(self, fresh=True)
        strong = np.empty(piece.size, np.bool_, order="F") if self.has_strong else None
        runs, held = find_runs(self._read(plan, piece, strong), piece.size, self.connectivity)
        surface = cut_surface(runs, plan.sides(piece), None if self.is_binary else held)
        del held
        sizes = np.ones(runs.number, np.uint32)  # without dust, no size matters
        if self.dust or strong is not None:
            sizes = count_voxels(runs, strong)
        del strong
        local, faces = self.outputs(piece)
        plan.store.put(faces, pack_surface(surface, sizes))
        del surface, sizes
        parts = pack_local_labels(runs, piece, plan.chunks(piece), self.encoding)
        del runs
        plan.store.put(local, join_parts({}, parts))

    def _read(self, plan: Plan, piece: Box, strong: Mask | None) -> Iterator[Voxels]:
        """What is to be labelled, slab by slab; which voxels are strong is put into a mask of the piece."""
        from teravox.kernels.components import in_range
        from teravox.pipeline.layers.slabs import read_slabs

        z = 0
        for slab in read_slabs(plan.layer, piece, self.mip, fill_missing=self.fill_missing):
            voxels = slab[..., 0]
            if strong is not None:
                strong[:, :, z : z + voxels.shape[2]] = in_range(voxels, self.strong_gte, self.strong_lte)
            z += voxels.shape[2]
            yield in_range(voxels, self.threshold_gte, self.threshold_lte) if self.is_binary else voxels

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
