"""`teravox mesh forge`: a mesh fragment of every label, out of each piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.objects.forging.job import ForgeObjects
from teravox.pipeline.objects.sort import MESH, Sort
from teravox.pipeline.options import Bounds, FillMissing, Memory, Mip, says

if TYPE_CHECKING:
    from teravox.pipeline.meshes.forged import Forged
    from teravox.pipeline.meshes.forging.plan import Plan


class Forge(ForgeObjects, frozen=True, rename={"memory_limit": "memory"}):
    """Cut a mesh fragment of every label out of each piece.

    The fragments of a piece are one file in LAYER/DIR.fragments/. They are no meshes yet, and the layer's info stays as
    it is: `teravox mesh merge` joins them and lets Neuroglancer find the meshes.

    A surface runs through the middle between voxels of two labels. It is closed where the volume or --bounds ends. What
    --max-error allows is left out of it, except on the sides of the pieces, so that fragments fit together exactly;
    merge simplifies there.

        teravox mesh forge ./seg --mip 1 --dust-threshold 500
    """

    sort: ClassVar[Sort] = MESH

    mip: Annotated[Mip, says("Level of the pyramid to mesh; 0 is full size.")] = 0
    shape: Annotated[
        Vec | None,
        says(
            "Size of a piece, in voxels of --mip; a multiple of --cell. Default: by --memory, up to 512 on each axis."
        ),
    ] = None
    cell: Annotated[
        Vec | None,
        says(
            "Size of the boxes that no triangle crosses, in voxels of --mip; merge makes its cells of them. "
            "Default: --shape, halved as long as its longest axis keeps 224."
        ),
    ] = None
    memory_limit: Memory = 3_500_000_000
    bounds: Bounds = None
    fill_missing: FillMissing = False
    max_error: Annotated[
        float, Meta(ge=0), says("How far the simplified surface may be from the true one, in nanometres.")
    ] = 40.0
    simplify: Annotated[bool, says("Leave out vertices that --max-error does not need.")] = True
    open_edge: Annotated[bool, says("Leave surfaces open where the volume, or --bounds, ends.")] = False
    fill_holes: Annotated[
        bool,
        says(
            "Fill holes inside of a label: background, connected by faces of voxels, that touches no other label and "
            "no side of the piece. A hole that reaches from one piece to another stays."
        ),
    ] = False
    dir: Annotated[
        str, says("Folder of the meshes to be made, within the layer; the fragments lie in DIR.fragments.")
    ] = "mesh"

    def choices(self) -> Sequence[str]:
        plan = self.plan()
        shape, cell = (",".join(map(str, size)) for size in (plan.shape, plan.cell))
        return [f"--shape {shape} --cell {cell}"] if self.shape is None or self.cell is None else []

    def run(self, piece: Box) -> None:
        from teravox.pipeline.meshes.forging.piece import forge_piece

        plan = self.plan(fresh=True)
        max_error = self.max_error if self.simplify else None
        selection = self.choice().select(plan.layer, dust=self.dust_threshold, fill_holes=self.fill_holes)
        data = forge_piece(plan, piece, selection, max_error, fill_missing=self.fill_missing)
        plan.layer.store.put(self.outputs(piece)[0], data)

    def into(self) -> str:
        return self.dir

    def plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.meshes.forging.plan import Wish, plan_forge

        layer = self.open(fresh=fresh)
        wish = Wish(
            mip=self.mip,
            bounds=self.bounds,
            shape=self.shape,
            cell=self.cell,
            memory=self.memory_limit,
            fill_holes=self.fill_holes,
            open_edge=self.open_edge,
        )
        return plan_forge(layer, wish)

    def forged(self) -> Forged:
        from teravox.pipeline.meshes.forged import Forged

        plan = self.plan()
        return Forged(
            id=self.id(),
            dir=self.dir,
            mip=self.mip,
            resolution=plan.layer.scale(self.mip).resolution,
            bounds=plan.bounds,
            shape=plan.shape,
            cell=plan.cell,
            max_error=self.max_error if self.simplify else 0.0,
            simplify=self.simplify,
            open_edge=self.open_edge,
        )
