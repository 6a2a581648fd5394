"""`teravox image select`: a copy of a segmentation with some of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from teravox.pipeline.box import Box
from teravox.pipeline.layers.one_mip_job import OneMipJob
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.pipeline.layers.one_mip import Plan
    from teravox.pipeline.planning.traffic import Part


class Select(OneMipJob, frozen=True):
    """Copy a segmentation with the labels that a condition keeps.

    All other voxels of --mip become 0. --where asks the table that `image count` has made of SOURCE: voxels, x, y, z,
    min_x and so on, radius, at_border, and those that image count measures when it is told to. Comparisons with
    < <= > >= == != stand between `and`, and `or` between groups of these.

        teravox image select ./fibres ./long --where "voxels >= 1000 and at_border == 0"
    """

    kind: ClassVar[str] = "image select"

    where: Annotated[str, says("Which labels are kept, by columns of their table: voxels >= 100 and radius < 5000.")]

    def prepare(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer
        from teravox.pipeline.selection.kept import choose_labels, read_condition, write_kept
        from teravox.pipeline.storage.open import open_store

        plan = self.plan(fresh=True)
        labels = choose_labels(plan.source, self.mip, read_condition(self.where))
        create_layer(self.dest, plan.raw)
        write_kept(open_store(self.dest), self._key, labels)

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.selection.kept import count_kept
        from teravox.pipeline.selection.plan import bytes_needed
        from teravox.pipeline.storage.open import open_store

        plan = self.plan()
        labels = count_kept(open_store(self.dest), self._key)
        return 20 * labels + bytes_needed(plan.source, self.mip, piece.size, plan.scale, self.dest)

    def run(self, piece: Box) -> None:
        from teravox.kernels.segmentation.results import places_of
        from teravox.pipeline.selection.kept import read_kept

        plan = self.plan(fresh=True)
        dest, mip = self.open_dest(plan)
        labels = read_kept(dest.store, self._key)
        voxels = plan.source.read(piece, self.mip, fill_missing=self.fill_missing)
        voxels[places_of(voxels, labels) == 0] = 0
        dest.write(piece, mip, voxels, compress=self.compression(plan), level=self.compress_level)

    def reads(self, piece: Box) -> Sequence[Part]:
        from teravox.pipeline.planning.traffic import Chunks, Objects

        return [Objects(self.dest, (self._key,)), Chunks(self.plan().source, self.mip, piece)]

    def foresee(self) -> None:
        from teravox.pipeline.layers.new_layer import create_layer

        create_layer(self.dest, self.plan().raw)  # the table may be one of those that are made before

    def report(self) -> str:
        from teravox.pipeline.selection.kept import count_kept
        from teravox.pipeline.storage.open import open_store

        return f"{count_kept(open_store(self.dest), self._key):,} labels are kept in {self.dest}."

    def plan(self, *, fresh: bool = False) -> Plan:
        from teravox.pipeline.layers.layer import Layer
        from teravox.pipeline.selection.plan import plan_selection

        wish = self.wish()
        return plan_selection(Layer.open(self.source, fresh=fresh), wish)

    @property
    def _key(self) -> str:
        from teravox.pipeline.selection.kept import kept_key

        return kept_key(self.mip, self.where)
