"""`teravox image count-merge`: the table of labels, where there is too much of it for the end of a count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.label_tables.options import ContactsOutput, HistogramOutput, SegmentProperties, TableOutput
from teravox.pipeline.options import Bounds, Layer, Memory, Mip
from teravox.pipeline.sorted_rows.key_range import KeyRange

if TYPE_CHECKING:
    from teravox.pipeline.label_tables.plan import MergePlan
    from teravox.pipeline.label_tables.publish import Wish
    from teravox.pipeline.layers.layer import Layer as OpenLayer


class CountMerge(Job[KeyRange], frozen=True, rename={"memory_limit": "memory"}):
    """Merge what image count has counted, as tasks, one range of labels each.

    image count merges by itself what is small enough, and says so where it is not. The ranges are chosen by what
    was counted, so that each needs no more than --memory.
    """

    layer: Layer
    mip: Mip = 0
    bounds: Bounds = None
    memory_limit: Memory = 1_000_000_000
    output: TableOutput = None
    contacts: ContactsOutput = None
    histogram: HistogramOutput = None
    segment_properties: SegmentProperties = False

    def prepare(self) -> None:
        from teravox.pipeline.label_tables.merge import make_plan
        from teravox.pipeline.label_tables.publish import check_publishing

        layer, folder = self._open(fresh=True)
        check_publishing(layer, self._wish())
        plan = make_plan(layer, self.mip, folder, self.memory_limit)
        if self.contacts is not None and not plan.counts.contacts:
            raise BadUsage("--contacts: no contacts were counted: run image count with --contacts")

    def pieces(self) -> Sequence[KeyRange]:
        layer, folder = self._open()
        return self._plan(layer, folder).ranges

    def memory(self, piece: KeyRange) -> int:  # noqa: ARG002 - ranges are chosen by memory, so they need all the same
        return self.memory_limit

    def run(self, piece: KeyRange) -> None:
        from teravox.pipeline.label_tables.merge import merge_range

        layer, folder = self._open(fresh=True)
        merge_range(layer, folder, self._plan(layer, folder), piece, self.memory_limit)

    def outputs(self, piece: KeyRange) -> Sequence[str]:
        from teravox.pipeline.label_tables.merge import part_keys

        layer, folder = self._open()
        return part_keys(folder, piece, contacts=self._plan(layer, folder).counts.contacts)

    def finish(self) -> None:
        from teravox.pipeline.label_tables.publish import publish
        from teravox.pipeline.layers.provenance import record_processing

        layer, folder = self._open(fresh=True)
        publish(layer, self.bounds, self._plan(layer, folder), self._wish())
        record_processing(layer.store, "image count-merge", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.label_tables.publish import say_table

        layer, _ = self._open()
        return say_table(layer, self.mip, self.bounds)

    def _wish(self) -> Wish:
        from teravox.pipeline.label_tables.publish import Wish

        return Wish(self.output, self.contacts, self.histogram, self.segment_properties)

    def _open(self, *, fresh: bool = False) -> tuple[OpenLayer, str]:
        from teravox.pipeline.label_tables.places import table_folder
        from teravox.pipeline.layers.layer import Layer as OpenLayer

        layer = OpenLayer.open(self.layer, fresh=fresh)
        return layer, table_folder(layer.scale(self.mip), self.bounds)

    def _plan(self, layer: OpenLayer, folder: str) -> MergePlan:
        from teravox.pipeline.label_tables.merge import read_plan

        return read_plan(layer, self.mip, folder)
