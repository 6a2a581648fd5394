"""Which labels somebody chose to forge, and how: what the options of meshes and skeletons say alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.forging.labels import Selection

if TYPE_CHECKING:
    from teravox.pipeline.objects.forging.labels import Labels


class Choice(NamedTuple):
    """The options of a job that choose labels."""

    mip: int
    dust_threshold: int
    dust_global: bool
    labels: tuple[int, ...]
    exclude_labels: tuple[int, ...]
    remap: KnownFile | None
    remap_key: str  # where the table is kept, within the layer

    @property
    def dust_is_global(self) -> bool:
        return self.dust_global and self.dust_threshold > 1

    def check(self, layer: Layer) -> None:
        """Raise BadUsage where options contradict each other."""
        if self.dust_global and self.remap is not None:
            raise BadUsage(
                f"--dust-global: the table of {layer.url} counts labels as they are stored, and --remap makes others of "
                "them. Leave one of them out"
            )
        if self.dust_global and self.dust_threshold == 0:
            raise BadUsage("--dust-global: means nothing without --dust-threshold")
        both = set(self.labels) & set(self.exclude_labels)
        if both:
            raise BadUsage(f"--exclude-labels: {min(both)} is among --labels, too")

    def prepare(self, layer: Layer) -> None:
        """Look for the table of all voxels, and keep that of labels that become others, where they are asked for."""
        from teravox.pipeline.label_tables.table import LabelTable
        from teravox.pipeline.objects.forging.remap_file import read_remap
        from teravox.pipeline.objects.forging.remap_table import encode_remap

        if self.dust_is_global:
            LabelTable.open(layer, self.mip)
        if self.remap is not None:
            layer.store.put(self.remap_key, encode_remap(read_remap(self.remap)))

    def select(self, layer: Layer, *, dust: int, fill_holes: bool) -> Selection:
        """The labels that are chosen; `dust` is the threshold to be used within a piece, unless it is global."""
        from teravox.pipeline.label_tables.table import LabelTable
        from teravox.pipeline.objects.forging.remap_table import remap

        def remapped(labels: Labels) -> Labels:
            return remap(layer.store, self.remap_key, labels)

        return Selection(
            remap=None if self.remap is None else remapped,
            dust=self.dust_threshold if self.dust_is_global else dust,
            total=LabelTable.open(layer, self.mip).voxels if self.dust_is_global else None,
            only=self.labels,
            without=self.exclude_labels,
            fill_holes=fill_holes,
        )
