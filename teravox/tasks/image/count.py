"""`teravox image count`: how many voxels each label has, where, and in what box."""

from __future__ import annotations

import logging
import math
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.label_tables.options import ContactsOutput, HistogramOutput, SegmentProperties, TableOutput
from teravox.pipeline.options import Bounds, FillMissing, Layer, Mip, says

if TYPE_CHECKING:
    from teravox.pipeline.label_tables.plan import Counts
    from teravox.pipeline.label_tables.publish import Wish
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.planning.traffic import Part, Traffic

VOXELS = 1 << 26  # of a piece, if nobody says its shape
VOXELS_AT_ONCE = 1 << 24  # the same where all of its voxels must be at hand
RANGES = 16  # which a job merges by itself at its end; more are a matter of tasks
MOST = 1 << 32  # voxels of a piece, so that sums of their coordinates fit in 64 bits
LEAST = 50_000_000  # bytes for tables of labels


class Count(Job[Box], frozen=True, rename={"memory_limit": "memory"}):
    """Count the voxels of every label, with its box, centroid and radius.

    One pass over the voxels of --mip leaves the table LAYER/stats/voxels/KEY/table.json, where KEY is that of the
    mip's scale, and beside it the rows of the table as Parquet files, sorted by label. Other kinds find the sizes
    of labels there. Boxes are half-open, centroids are means of coordinates, and both are in voxels of --mip.
    Label 0, the background, has a row like any other. The radius is that of a ball of the same volume, in nanometres.
    --contacts counts which labels touch, --values measures an image within each label.

        teravox image count ./seg --segment-properties -o sizes.csv
        teravox image count ./beads -o beads.csv --contacts contacts.csv --values ./ct --histogram sizes.svg
    """

    layer: Layer
    mip: Mip = 0
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: Annotated[
        Vec | None,
        says("Size of a piece, in voxels of --mip. Default: about 64 million voxels; 16 with --contacts or --values."),
    ] = None
    memory_limit: Annotated[
        Annotated[int, msgspec.Meta(gt=0)],
        says("Most memory that a task may need; it limits how many labels a piece may have.", form="bytes"),
    ] = 1_000_000_000
    output: TableOutput = None
    contacts: ContactsOutput = None
    values: Annotated[
        str | None,
        says(
            "Image whose values are measured within each label: the table gets the least, most and mean value and the "
            "standard deviation. It has the voxels of --mip at one of its levels.",
            form="layer",
        ),
    ] = None
    histogram: HistogramOutput = None
    segment_properties: SegmentProperties = False

    def prepare(self) -> None:
        from teravox.pipeline.label_tables.measuring import check_values
        from teravox.pipeline.label_tables.merge import room_for_merge
        from teravox.pipeline.label_tables.publish import check_publishing

        layer, counts = self._plan(fresh=True)
        room_for_merge(self.memory_limit)
        check_values(layer, counts)
        check_publishing(layer, self._wish())

    def pieces(self) -> Sequence[Box]:
        _, counts = self._plan()
        return counts.grid

    def memory(self, piece: Box) -> int:
        from teravox.pipeline.label_tables.counting import counting_bytes
        from teravox.pipeline.label_tables.measuring import measuring_bytes

        layer, counts = self._plan()
        if self._measures:
            return measuring_bytes(layer, counts, piece, self.memory_limit)
        return counting_bytes(layer, self.mip, piece, self.memory_limit)

    def run(self, piece: Box) -> None:
        from teravox.pipeline.label_tables.counting import count_labels
        from teravox.pipeline.label_tables.measuring import measure_labels
        from teravox.pipeline.label_tables.merged import expect_counts
        from teravox.pipeline.label_tables.places import contacts_key, counts_key
        from teravox.pipeline.sorted_rows.file import encode_rows

        layer, counts = self._plan(fresh=True)
        box = piece.intersect(counts.bounds)
        folder = self._folder(layer)
        contacts = None
        if self._measures:
            rows, contacts = measure_labels(layer, counts, box, self.memory_limit, fill_missing=self.fill_missing)
        else:
            rows = count_labels(layer, self.mip, box, self.memory_limit, fill_missing=self.fill_missing)
        expect_counts(layer.store, folder)
        if contacts is not None:
            layer.store.put(contacts_key(folder, counts.shape, piece), encode_rows(contacts))
        layer.store.put(counts_key(folder, counts.shape, piece), encode_rows(rows))

    def outputs(self, piece: Box) -> Sequence[str]:
        from teravox.pipeline.label_tables.merged import is_merged
        from teravox.pipeline.label_tables.places import contacts_key, counts_key

        layer, counts = self._plan()
        folder = self._folder(layer)
        if is_merged(layer.store, folder, counts):
            return []
        contacts = [contacts_key(folder, counts.shape, piece)] if counts.contacts else []
        return [*contacts, counts_key(folder, counts.shape, piece)]

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.label_tables.measuring import around, values_layer
        from teravox.pipeline.planning.traffic import Chunks, Objects, Traffic, info_of

        layer, counts = self._plan()
        box = piece.intersect(counts.bounds)
        reads: list[Part] = [info_of(self.layer), Chunks(layer, self.mip, around(counts, box))]
        if self.values is not None:
            reads += [info_of(self.values), Chunks(*values_layer(layer, self.mip, self.values), box)]
        return Traffic(
            reads,
            [Objects(self.layer, self.outputs(piece))],
            kept=False,
        )

    def finish(self) -> None:
        from teravox.pipeline.errors import BadInput
        from teravox.pipeline.label_tables.merged import is_merged
        from teravox.pipeline.layers.provenance import record_processing

        layer, counts = self._plan(fresh=True)
        try:
            self._merge(layer, counts)
        except BadInput:
            if not is_merged(layer.store, self._folder(layer), counts):  # else another worker has done it meanwhile
                raise
        record_processing(layer.store, "image count", msgspec.to_builtins(self))

    def report(self) -> str:
        from teravox.pipeline.label_tables.merge import read_plan
        from teravox.pipeline.label_tables.merged import is_merged
        from teravox.pipeline.label_tables.publish import say_table

        layer, counts = self._plan()
        folder = self._folder(layer)
        if is_merged(layer.store, folder, counts):
            return say_table(layer, self.mip, self.bounds)
        return self._say_merge(len(read_plan(layer, self.mip, folder).ranges))

    def _merge(self, layer: OpenLayer, counts: Counts) -> None:
        """Make the table, unless that is more than one process should do by itself."""
        from teravox.pipeline.label_tables.merge import make_plan, merge_range, record_counts
        from teravox.pipeline.label_tables.merged import is_merged
        from teravox.pipeline.label_tables.publish import publish

        folder = self._folder(layer)
        record_counts(layer.store, folder, counts)
        plan = make_plan(layer, self.mip, folder, self.memory_limit)
        if len(plan.ranges) > RANGES and not is_merged(layer.store, folder, counts):
            logging.getLogger(__name__).warning("%s", self._say_merge(len(plan.ranges)))
            return
        for labels in plan.ranges:
            merge_range(layer, folder, plan, labels, self.memory_limit)
        publish(layer, self.bounds, plan, self._wish())

    def _say_merge(self, ranges: int) -> str:
        words = ["teravox", "image", "count-merge", self.layer, "--mip", str(self.mip)]
        words += [] if self.bounds is None else [f"--bounds={self.bounds}"]
        for option in ("output", "contacts", "histogram"):
            file = getattr(self, option)
            words += [] if file is None else [f"--{option}", file]
        words += ["--segment-properties"] if self.segment_properties else []
        return f"Everything is counted, and is to be merged in {ranges:,} tasks: {shlex.join(words)}"

    @property
    def _measures(self) -> bool:
        """Whether all voxels of a piece must be at hand at once."""
        return self.contacts is not None or self.values is not None

    def _wish(self) -> Wish:
        from teravox.pipeline.label_tables.publish import Wish

        return Wish(self.output, self.contacts, self.histogram, self.segment_properties)

    def _plan(self, *, fresh: bool = False) -> tuple[OpenLayer, Counts]:
        from teravox.pipeline.label_tables.plan import Counts
        from teravox.pipeline.layers.chunk_grid import align_outward
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.layers.shapes import enlarge

        layer = OpenLayer.open(self.layer, fresh=fresh)
        self._check(layer)
        scale, box = layer.scale(self.mip), self._box(layer)
        around = align_outward(scale, box).intersect(scale.bounds)
        if self.shape is not None and any(n % c for n, c in zip(self.shape, scale.chunk, strict=True)):
            around = box  # pieces cut through chunks wherever they begin
        counts = Counts(self.mip, box, around, scale.chunk, contacts=self.contacts is not None, values=self.values)
        shape = self.shape or enlarge(
            scale.chunk, around.size, lambda shape: self._is_small(layer, counts, shape), (0, 1, 2)
        )
        counts = msgspec.structs.replace(counts, shape=shape)
        if self._measures:
            self._check_room(layer, counts)
        return layer, counts

    def _is_small(self, layer: OpenLayer, counts: Counts, shape: Vec) -> bool:
        """Whether a piece may be so large where nobody says how large."""
        if not self._measures:
            return math.prod(shape) <= VOXELS
        from teravox.pipeline.label_tables.measuring import fits_well

        return math.prod(shape) <= VOXELS_AT_ONCE and fits_well(layer, counts, shape, self.memory_limit)

    def _check_room(self, layer: OpenLayer, counts: Counts) -> None:
        from teravox.pipeline.label_tables.measuring import fits
        from teravox.pipeline.layers.shapes import clip, say_size
        from teravox.pipeline.units import say_bytes

        size = clip(counts.shape, counts.around.size)
        if not fits(layer, counts, size, self.memory_limit):
            raise BadUsage(
                f"--memory: {say_bytes(self.memory_limit)} are too little to count contacts or values in pieces of "
                f"{say_size(size)} voxels; give it more, or a smaller --shape"
            )

    def _box(self, layer: OpenLayer) -> Box:
        """The part that is counted."""
        whole = layer.bounds(self.mip)
        box = whole if self.bounds is None else self.bounds.intersect(whole)
        if box.is_empty:
            raise BadUsage(f"--bounds: {self.bounds} lies outside of {layer.place(self.mip)}, which is {whole}")
        return box

    def _folder(self, layer: OpenLayer) -> str:
        from teravox.pipeline.label_tables.places import table_folder

        return table_folder(layer.scale(self.mip), self.bounds)

    def _check(self, layer: OpenLayer) -> None:
        from teravox.pipeline.label_tables.counting import least_memory
        from teravox.pipeline.units import say_bytes

        info = layer.info
        box = layer.bounds(self.mip)
        if info.data_type.startswith("float"):
            raise BadUsage(f"{layer.url} holds {info.data_type}, and labels are whole numbers")
        if info.num_channels != 1:
            raise BadUsage(f"{layer.url} has {info.num_channels} channels, and labels are counted in one")
        if not all(-(2**31) <= n < 2**31 for n in (*box.min, *box.max)):
            raise BadUsage(f"{layer.place(self.mip)} is {box}, and coordinates of labels have 32 bits")
        if self.shape is not None and (min(self.shape) < 1 or math.prod(self.shape) > MOST):
            raise BadUsage(f"--shape: expected three numbers from 1 up, and at most {MOST:,} voxels, got {self.shape}")
        least = least_memory(layer, self.mip, box) + LEAST
        if self.memory_limit < least:
            raise BadUsage(
                f"--memory: {say_bytes(self.memory_limit)} are too little for the chunks of {layer.place(self.mip)}; "
                f"give it {say_bytes(least)} or more"
            )
