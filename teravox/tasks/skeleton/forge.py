"""`teravox skeleton forge`: the centre lines of every label, out of each piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.objects.forging.job import ForgeObjects
from teravox.pipeline.objects.sort import SKELETON, Sort
from teravox.pipeline.options import Bounds, FillMissing, Memory, Mip, says

if TYPE_CHECKING:
    from teravox.pipeline.skeletons.forged import Forged
    from teravox.pipeline.skeletons.forging.piece import Work
    from teravox.pipeline.skeletons.forging.plan import Plan

Length = Annotated[float, Meta(ge=0)]
PITS = 2.5  # a nucleus has a radius of more than --soma-detect divided by this


class Forge(ForgeObjects, frozen=True, rename={"memory_limit": "memory"}):
    """Trace the skeleton of every label in each piece.

    The skeletons of a piece are one file in LAYER/DIR.fragments/, and the layer's info stays as it is:
    `teravox skeleton merge` joins them and lets Neuroglancer find them.

    Skeletons are traced as kimimaro does, by TEASAR: from a root, the path to the farthest voxel, along the middle of
    the label; then to the farthest one that is not near a path yet, until all are. Near is what is within --scale times
    the radius of the label there, plus --const. So a smaller --scale gives more and shorter branches.

        teravox skeleton forge ./seg --mip 1 --dust-threshold 500
    """

    sort: ClassVar[Sort] = SKELETON

    mip: Annotated[Mip, says("Level of the pyramid to skeletonize; 0 is full size.")] = 0
    shape: Annotated[
        Vec | None,
        says("Size of a piece, in voxels of --mip. Default: by --memory, up to 512 on each axis."),
    ] = None
    memory_limit: Memory = 3_500_000_000
    bounds: Bounds = None
    fill_missing: FillMissing = False
    scale: Annotated[
        float, Meta(ge=0), says("How far a path reaches, in radii of the label: there no other path begins.")
    ] = 4.0
    const: Annotated[Length, says("How much farther it reaches, in nanometres.")] = 10.0
    pdrf_scale: Annotated[
        float, Meta(ge=0), says("How much more a path costs at the boundary of a label than in its middle.")
    ] = 100_000.0
    pdrf_exponent: Annotated[
        float, Meta(gt=0), says("How fast these costs fall towards the middle; with more, paths keep to it more.")
    ] = 4.0
    soma_detect: Annotated[
        Length, says("A label of a larger radius may have a soma: its holes are filled to see; in nanometres.")
    ] = 1100.0
    soma_accept: Annotated[
        Length, says("A label of a larger radius has a soma, in whose middle its paths begin; in nanometres.")
    ] = 3500.0
    soma_scale: Annotated[
        float, Meta(ge=0), says("Size of the soma, in radii of the label at its middle: in it there is no other path.")
    ] = 1.0
    soma_const: Annotated[Length, says("How much larger the soma is, in nanometres.")] = 300.0
    max_paths: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says(
            "Most paths of a connected part of a label in a piece; those to other pieces come first. Default: no limit."
        ),
    ] = None
    fix_branching: Annotated[
        bool, says("Let paths end where they meet one another, rather than run beside it to the root.")
    ] = True
    fix_borders: Annotated[
        bool,
        says("Let skeletons of neighbouring pieces meet: both go through the same voxels of the plane they share."),
    ] = True
    fix_avocados: Annotated[
        bool,
        says(
            f"Give nuclei that have labels of their own to the cells around them. They have a radius of more than "
            f"--soma-detect divided by {PITS}."
        ),
    ] = False
    fill_holes: Annotated[
        bool,
        says(
            "Fill holes inside of a label: background, connected by faces of voxels, that touches no other label and "
            "no side of what is read. A hole that reaches from one piece to another stays."
        ),
    ] = False
    dust_threshold: Annotated[
        int,
        Meta(ge=0),
        says("Leave out connected parts of a label of fewer voxels; see --dust-global.", form="count"),
    ] = 1000
    dust_global: Annotated[
        bool,
        says(
            "Leave out labels, rather than their parts, and count the voxels in the whole layer, by the table of "
            "`image count --mip`. Default: in a piece; parts that go on in the next one are kept."
        ),
    ] = False
    cross_section: Annotated[
        int,
        Meta(ge=0),
        says(
            "Measure the area across the skeleton at each vertex, too; its direction is taken over so many edges. One "
            "that is cut off where the volume ends, or --cross-section-margin, is stored as negative. 0: no areas."
        ),
    ] = 0
    cross_section_margin: Annotated[
        int,
        Meta(ge=0),
        says("How many voxels around a piece are read to measure again the areas that its sides cut off; 0: none."),
    ] = 100
    context: Annotated[
        int,
        Meta(ge=0),
        says(
            "Voxels around a piece that are read for the radii alone: those near its sides come out true, and so do "
            "the paths that follow them."
        ),
    ] = 0
    engine: Annotated[
        Literal["teravox", "kimimaro"],
        says(
            "What traces: teravox's kernels, or kimimaro, which is several times slower and what they are compared with."
        ),
    ] = "teravox"
    dir: Annotated[
        str, says("Folder of the skeletons to be made, within the layer; the fragments lie in DIR.fragments.")
    ] = "skeleton"

    def choices(self) -> Sequence[str]:
        return [f"--shape {','.join(map(str, self.plan().shape))}"] if self.shape is None else []

    def run(self, piece: Box) -> None:
        from teravox.pipeline.skeletons.forging.piece import forge_piece

        plan = self.plan(fresh=True)
        plan.layer.store.put(self.outputs(piece)[0], forge_piece(self._work(plan), piece))

    def into(self) -> str:
        return self.dir

    def plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.skeletons.forging.memory import Needs
        from teravox.pipeline.skeletons.forging.plan import Wish, plan_forge

        layer = self.open(fresh=fresh)
        if self.engine == "kimimaro":
            self._check_kimimaro()
        needs = Needs(
            fill_holes=self.fill_holes,
            fix_avocados=self.fix_avocados,
            cross_section=self.cross_section > 0,
            margin=self.cross_section_margin if self.cross_section else 0,
            kimimaro=self.engine == "kimimaro",
        )
        wish = Wish(self.mip, self.bounds, self.shape, self.memory_limit, self.context, needs)
        return plan_forge(layer, wish)

    def _check_kimimaro(self) -> None:
        from importlib.util import find_spec

        from teravox.pipeline.errors import BadUsage

        if find_spec("kimimaro") is None:
            raise BadUsage("--engine: kimimaro is not installed: pip install 'teravox[kimimaro]', or leave it out")
        if self.context:
            raise BadUsage("--context: kimimaro measures radii by itself, within a piece. Leave it out, or --engine")

    def _work(self, plan: Plan) -> Work:
        from teravox.kernels.skeleton.teasar import Teasar
        from teravox.pipeline.skeletons.forging.piece import Work
        from teravox.pipeline.skeletons.forging.reading import Reading
        from teravox.pipeline.skeletons.forging.tracing import Tracing

        reading = Reading(
            plan.layer,
            self.mip,
            self.choice().select(plan.layer, dust=0, fill_holes=False),
            fill_holes=self.fill_holes,
            pits=self.soma_detect / PITS if self.fix_avocados else None,
            fill_missing=self.fill_missing,
        )
        teasar = Teasar(
            scale=self.scale,
            const=self.const,
            pdrf_scale=self.pdrf_scale,
            pdrf_exponent=self.pdrf_exponent,
            soma_detection_threshold=self.soma_detect,
            soma_acceptance_threshold=self.soma_accept,
            soma_invalidation_scale=self.soma_scale,
            soma_invalidation_const=self.soma_const,
            max_paths=self.max_paths,
            fix_branching=self.fix_branching,
        )
        dust = 0 if self.dust_global else self.dust_threshold
        tracing = Tracing(teasar, reading.step, dust, self.fix_borders, kimimaro=self.engine == "kimimaro")
        return Work(plan, reading, tracing, self.cross_section)

    def forged(self) -> Forged:
        from teravox.pipeline.skeletons.forged import Forged
        from teravox.pipeline.skeletons.forging.areas import AREA
        from teravox.pipeline.skeletons.skeleton_info import Attribute

        plan = self.plan()
        return Forged(
            id=self.id(),
            dir=self.dir,
            mip=self.mip,
            resolution=plan.layer.scale(self.mip).resolution,
            bounds=plan.bounds,
            shape=plan.shape,
            attributes=(Attribute(AREA, "float32"),) if self.cross_section else (),
            scale=self.scale,
            const=self.const,
            soma_accept=self.soma_accept,
            soma_scale=self.soma_scale,
            soma_const=self.soma_const,
            fix_borders=self.fix_borders,
        )
