"""`teravox image reorder`: the slices of a volume, in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from teravox.pipeline.box import Box
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.one_mip_job import OneMipJob
from teravox.pipeline.options import Bounds, EncodingEffort, says
from teravox.pipeline.reorder.mapping import Unlisted

if TYPE_CHECKING:
    from teravox.pipeline.layers.one_mip import Plan
    from teravox.pipeline.planning.traffic import Part
    from teravox.pipeline.reorder.mapping import Mapping


class Reorder(OneMipJob, frozen=True):
    """Copy a mip of a layer with its z slices in another order.

    --mapping says which slice of SOURCE each slice of DEST shows: JSON like {"0": 1, "1": 0}, or CSV with two columns,
    slice of DEST and slice of SOURCE. A slice may be shown several times, and null or an empty cell is background.
    Slices are numbered as the volume is, so from its voxel offset on. DEST has one mip, as large as --mip of SOURCE or as
    --bounds, and keeps the mapping in reorder.json.

        teravox image reorder ./em ./em-sorted --mapping order.csv --unlisted same
    """

    kind: ClassVar[str] = "image reorder"

    mapping: Annotated[KnownFile, says("JSON or CSV file: slice of DEST, slice of SOURCE.")]
    unlisted: Annotated[
        Unlisted,
        says("What slices of DEST show that --mapping does not list: background, or the same slice of SOURCE."),
    ] = "refuse"
    bounds: Bounds = None
    encoding_effort: EncodingEffort = None

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer
        from teravox.pipeline.reorder.mapping import KEY, check_kept, encode_mapping
        from teravox.pipeline.storage.open import open_store

        plan = self.plan(fresh=True)
        mapping, store = self._read_mapping(plan), open_store(self.dest)
        is_kept = check_kept(store, mapping)
        create_layer(self.dest, plan.raw)
        if not is_kept:
            store.put(KEY, encode_mapping(mapping), content_type="application/json")

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.reorder.plan import bytes_needed

        plan = self.plan()
        return bytes_needed(plan.source, self.mip, piece.size, plan.scale, self.dest)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.reorder.mapping import kept_mapping
        from teravox.pipeline.reorder.read import read_slices

        plan = self.plan(fresh=True)
        dest, mip = self.open_dest(plan)
        slices = kept_mapping(dest.store).of(piece.min[2], piece.max[2])
        voxels = read_slices(plan.source, self.mip, piece, slices, fill_missing=self.fill_missing)
        dest.write(piece, mip, voxels, compress=self.compression(plan), level=self.compress_level)

    def reads(self, piece: Box) -> Sequence[Part]:
        from teravox.pipeline.planning.traffic import Chunks, Objects
        from teravox.pipeline.reorder.mapping import KEY
        from teravox.pipeline.reorder.read import boxes_of

        plan = self.plan()
        slices = self._read_mapping(plan).of(piece.min[2], piece.max[2])
        voxels = [Chunks(plan.source, self.mip, box) for box in boxes_of(plan.source, self.mip, piece, slices)]
        return [Objects(self.dest, (KEY,)), *voxels]

    def plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.reorder.plan import plan_reorder

        wish = self.wish()
        return plan_reorder(Layer.open(self.source, fresh=fresh), wish)

    def _read_mapping(self, plan: Plan) -> Mapping:
        from teravox.pipeline.reorder.mapping import read_mapping

        dest, source = plan.scale.bounds, plan.source.bounds(self.mip)
        ranges = [range(box.min[2], box.max[2]) for box in (dest, source)]
        return read_mapping(self.mapping, ranges[0], ranges[1], self.unlisted)
