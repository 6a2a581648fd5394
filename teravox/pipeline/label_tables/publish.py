"""What becomes of a table when it is complete."""

from __future__ import annotations

from teravox.pipeline.box import Box
from teravox.pipeline.label_tables.export import check_output, write_table
from teravox.pipeline.label_tables.merge import complete_table
from teravox.pipeline.label_tables.merged import drop_counts
from teravox.pipeline.label_tables.places import table_folder
from teravox.pipeline.label_tables.plan import MergePlan
from teravox.pipeline.label_tables.segment_properties import check_segment_properties, write_segment_properties
from teravox.pipeline.label_tables.table import TABLE, LabelTable
from teravox.pipeline.layers.layer import Layer


def check_publishing(layer: Layer, *, output: str | None, segment_properties: bool) -> None:
    """Raise BadUsage if what is asked for cannot be done with the table, when it is complete."""
    if output is not None:
        check_output(output)
    if segment_properties:
        check_segment_properties(layer)


def publish(layer: Layer, bounds: Box | None, plan: MergePlan, *, output: str | None, segment_properties: bool) -> None:
    """Make the merged parts the table, and write it where else it was asked for; safe to repeat.

    What was counted in each box is removed at the end.
    """
    mip = plan.counts.mip
    folder = table_folder(layer.scale(mip), bounds)
    complete_table(layer, folder, plan)
    table = LabelTable.open(layer, mip, bounds)
    if output is not None:
        write_table(table.index.columns, table.groups(), output)
    if segment_properties:
        write_segment_properties(layer, table)
    drop_counts(layer.store, folder, plan.counts)


def say_table(layer: Layer, mip: int, bounds: Box | None) -> str:
    """What the table holds, and where it is."""
    table = LabelTable.open(layer, mip, bounds)
    place = f"{layer.url}/{table_folder(layer.scale(mip), bounds)}/{TABLE}"
    return f"{table.index.labels:,} labels in the table {place}."
