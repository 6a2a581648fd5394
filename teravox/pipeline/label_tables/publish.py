"""What becomes of a table when it is complete."""

from __future__ import annotations

from typing import NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.label_tables.export import check_output, write_table
from teravox.pipeline.label_tables.merge import complete_table
from teravox.pipeline.label_tables.merged import drop_counts
from teravox.pipeline.label_tables.places import table_folder
from teravox.pipeline.label_tables.plan import MergePlan
from teravox.pipeline.label_tables.segment_properties import check_segment_properties, write_segment_properties
from teravox.pipeline.label_tables.size_histogram import check_histogram, write_histogram
from teravox.pipeline.label_tables.table import CONTACTS, TABLE, LabelTable
from teravox.pipeline.layers.layer import Layer


class Wish(NamedTuple):
    """Where else a table is to go."""

    output: str | None = None
    contacts: str | None = None
    histogram: str | None = None
    segment_properties: bool = False


def check_publishing(layer: Layer, wish: Wish) -> None:
    """Raise BadUsage if what is asked for cannot be done with the table, when it is complete."""
    if wish.output is not None:
        check_output(wish.output)
    if wish.contacts is not None:
        check_output(wish.contacts, "--contacts")
    if wish.histogram is not None:
        check_histogram(wish.histogram)
    if wish.segment_properties:
        check_segment_properties(layer)


def publish(layer: Layer, bounds: Box | None, plan: MergePlan, wish: Wish) -> None:
    """Make the merged parts the table, and write it where else it was asked for; safe to repeat.

    What was counted in each box is removed at the end.
    """
    mip = plan.counts.mip
    folder = table_folder(layer.scale(mip), bounds)
    complete_table(layer, folder, plan)
    table = LabelTable.open(layer, mip, bounds)
    if wish.output is not None:
        write_table(table.index.columns, table.groups(), wish.output)
    if wish.contacts is not None:
        write_table(CONTACTS, table.contacts(), wish.contacts, "--contacts")
    if wish.histogram is not None:
        write_histogram(table, wish.histogram)
    if wish.segment_properties:
        write_segment_properties(layer, table)
    drop_counts(layer.store, folder, plan.counts)


def say_table(layer: Layer, mip: int, bounds: Box | None) -> str:
    """What the table holds, and where it is."""
    table = LabelTable.open(layer, mip, bounds)
    place = f"{layer.url}/{table_folder(layer.scale(mip), bounds)}/{TABLE}"
    return f"{table.index.labels:,} labels in the table {place}."
