"""`teravox image centres`: where objects are cut by slices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box
from teravox.pipeline.centres.options import SliceAxis
from teravox.pipeline.job import Job
from teravox.pipeline.label_tables.options import TableOutput
from teravox.pipeline.options import Bounds, FillMissing, Layer, Mip, says

if TYPE_CHECKING:
    from teravox.pipeline.centres.annotations import CentreLayer
    from teravox.pipeline.centres.plan import Plan
    from teravox.pipeline.planning.traffic import Traffic


class Centres(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Find the centres of objects in every slice.

    In each slice across --axis, the parts of a label that are connected within the slice have a centre each: the mean of
    their voxels. An object is cut by no border of pieces or chunks. The table LAYER/stats/centres/KEY/AXIS has the slice,
    label, area and place of all of them, in voxels of --mip; `evaluate centres` compares it with another one.

        teravox image centres ./fibres -o centres.csv
    """

    layer: Layer
    mip: Mip = 0
    axis: SliceAxis = "z"
    corners: Annotated[bool, says("Voxels that share only a corner are connected, too.")] = False
    by_label: Annotated[bool, says("One centre for all parts that a label has in a slice.")] = False
    min_area: Annotated[int, Meta(ge=0), says("Leave out parts of fewer voxels.")] = 0
    bounds: Bounds = None
    fill_missing: FillMissing = False
    slices: Annotated[
        Annotated[int, Meta(ge=1)] | None, says("How many slices a task takes. Default: as many as a chunk has.")
    ] = None
    memory_limit: Annotated[
        Annotated[int, Meta(gt=0)],
        says("Most memory that a task may need; it limits how many parts its slices may have.", form="bytes"),
    ] = 1_000_000_000
    annotations: Annotated[
        bool,
        says(
            "Also write them as points for Neuroglancer, in LAYER/stats/centres/KEY/AXIS/points, for `teravox view`; a "
            "point has its label and area."
        ),
    ] = False
    output: TableOutput = None

    def prepare(self) -> None:
        from teravox.pipeline.label_tables.export import check_output

        self._plan(fresh=True)
        if self.output is not None:
            check_output(self.output)

    def pieces(self) -> Sequence[Box]:
        return self._plan().slabs

    def memory(self, piece: Box) -> int:  # noqa: ARG002 - tiles are chosen by memory, so all slabs need the same
        return self.memory_limit

    def run(self, piece: Box) -> None:
        from teravox.pipeline.centres.finding import find_centres
        from teravox.pipeline.centres.table import folder_of, write_part

        plan = self._plan(fresh=True)
        found = find_centres(
            plan,
            piece,
            corners=self.corners,
            by_label=self.by_label,
            min_area=self.min_area,
            fill_missing=self.fill_missing,
        )
        folder = folder_of(plan.layer.scale(self.mip), self.axis)
        write_part(plan.layer.store, folder, self._keys(plan, piece), found)
        if self.annotations:
            self._points(plan).write(piece, found)

    def outputs(self, piece: Box) -> Sequence[str]:
        plan = self._plan()
        keys = self._keys(plan, piece)
        return [*keys, *self._points(plan).keys(piece)] if self.annotations else keys

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        plan = self._plan()
        return Traffic(
            [info_of(self.layer), Chunks(plan.layer, self.mip, piece.intersect(plan.box))],
            [Objects(self.layer, self.outputs(piece))],
        )

    def finish(self) -> None:
        from teravox.pipeline.centres.table import CentreTable, complete
        from teravox.pipeline.label_tables.export import write_table
        from teravox.pipeline.layers.provenance import record_processing

        plan = self._plan(fresh=True)
        index = complete(plan.layer, self.mip, self.axis, plan.box, [self._keys(plan, piece) for piece in plan.slabs])
        if self.annotations:
            self._points(plan).complete()
        if self.output is not None:
            write_table(index.columns, CentreTable.open(plan.layer, self.mip, self.axis).groups(), self.output)
        record_processing(plan.layer.store, "image centres", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.centres.annotations import points_folder
        from teravox.pipeline.centres.table import INDEX, CentreTable, folder_of

        plan = self._plan()
        layer = plan.layer
        index = CentreTable.open(layer, self.mip, self.axis).index
        slices = index.bounds.size["xyz".index(self.axis)]
        place = f"{layer.url}/{folder_of(layer.scale(self.mip), self.axis)}/{INDEX}"
        found = f"{index.centres:,} centres in {slices:,} slices, {index.centres / slices:,.1f} a slice, in the table {place}."
        if self.annotations:
            found += f"\nSee them with: teravox view {layer.url} {layer.url}/{points_folder(plan)}"
        return found

    def _keys(self, plan: Plan, piece: Box) -> list[str]:
        from teravox.pipeline.centres.table import folder_of, part_keys

        return part_keys(folder_of(plan.layer.scale(self.mip), self.axis), self._name(), plan.index(piece))

    def _points(self, plan: Plan) -> CentreLayer:
        from teravox.pipeline.centres.annotations import CentreLayer

        return CentreLayer(self._name(), plan)

    def _name(self) -> str:
        """What stands for all options that change a result."""
        same = msgspec.structs.replace(self, layer="", annotations=False, output=None, memory_limit=1)
        return hashlib.sha256(msgspec.json.encode(same, order="sorted")).hexdigest()[:16]

    def _plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.centres.plan import make_plan
        from teravox.pipeline.layers.layer import Layer as OpenLayer

        layer = OpenLayer.open(self.layer, fresh=fresh)
        return make_plan(
            layer, self.mip, self.axis, self.bounds, self.slices, self.memory_limit, with_points=self.annotations
        )
