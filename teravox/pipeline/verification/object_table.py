"""Compares the labels that have a mesh or a skeleton with the table that `image count` has left, by the options of the forge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.sort import MESH, Sort
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_compare import find_excess, find_lacking, labels_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.label_tables.table import LabelTable
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.source import ObjectSource
    from teravox.pipeline.verification.look import Look

    Labels = NDArray[np.uint64]

SAID = "the table of labels"
OTHERWISE = ("remap", "bounds")  # options of a forge with which the table says nothing of what has an object


def compare_table(look: Look, layer: Layer, sort: Sort, source: ObjectSource) -> Iterator[Finding]:
    """Whether all labels have an object that must have one, and no others; nothing where there is no table, or no ledger."""
    from teravox.pipeline.label_tables.table import LabelTable

    options = _options(look, sort, source.folder)
    if options is None or any(options.get(word) for word in OTHERWISE) or not look.can_list:
        return
    try:
        table = LabelTable.open(layer, int(options.get("mip", 0)))
        labels = table.at_least(1)
        have = labels_of(look, source)
    except BadInput:  # there is no table, or whoever verifies tables or objects has told
        return
    if have is None:
        return
    look.counts["labels held against the table of labels"] += len(labels)
    yield from find_excess(source, sort, labels, have, SAID)
    if sort == MESH and not options.get("open_edge"):  # skeletons are left out where they are short
        yield from find_lacking(look, source, sort, _must_have(table, labels, options), have, SAID)


def _options(look: Look, sort: Sort, folder: str) -> dict[str, Any] | None:  # Any: JSON
    """Those of the last forge before the merge that made a folder; None where the ledger knows none."""
    merges = [job for job in look.makers.jobs if job.prefix == f"{folder}/" and job.record.kind == f"{sort.one} merge"]
    if not merges:
        return None
    dir, time = merges[-1].record.job.get("dir"), merges[-1].record.time
    forges = [
        job
        for job in look.makers.jobs
        if job.record.kind == f"{sort.one} forge" and job.record.job.get("dir") == dir and job.record.time <= time
    ]
    return forges[-1].record.job if forges else None


def _must_have(table: LabelTable, labels: Labels, options: dict[str, Any]) -> Labels:  # Any: JSON
    """The labels that are left out by no option: dust is counted within pieces, unless it is counted globally."""
    import numpy as np

    dust = int(options.get("dust_threshold", 0))
    if dust > 1:
        labels = table.at_least(dust) if options.get("dust_global") else labels[:0]
    if options.get("labels"):
        labels = np.intersect1d(labels, np.array(options["labels"], np.uint64))
    return np.setdiff1d(labels, np.array(options.get("exclude_labels") or [], np.uint64))
