"""Verifies a table of labels: its head, its rows, and that they add up to what was counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.verification.examining import say_why
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.reports import check_ends

if TYPE_CHECKING:
    from teravox.pipeline.label_tables.table import Group, LabelTable, TableIndex


def check_labels(look: Look, key: str) -> Iterator[Finding]:
    """The index can be read, and so can every group of rows, which are as it says."""
    from teravox.pipeline.label_tables.table import LabelTable, TableIndex

    folder = key.rpartition("/")[0]
    data = look.store.get(key)
    try:
        index = msgspec.json.decode(data or b"", type=TableIndex)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield Finding("undecodable", key, f"it is not the head of a table of labels: {error}")
        return
    table = LabelTable(look.store, folder, index)
    voxels = rows = 0
    before = -1
    is_whole = True
    for group in index.groups:
        file = f"{folder}/{group.file}"
        try:
            count, problem = _look_into(table, group, before)
        except BadInput as error:
            is_whole = False
            yield _say_unread(look, file, error)
            continue
        if problem:
            is_whole = False
            yield Finding("wrong", file, problem)
        yield from check_ends(look, file)
        voxels += count
        rows += group.rows
        before = group.last
    if is_whole:
        yield from _check_sums(key, index, rows, voxels)
    yield from _check_contacts(look, table, folder)


def _check_contacts(look: Look, table: LabelTable, folder: str) -> Iterator[Finding]:
    for group in table.index.contacts or ():
        file = f"{folder}/{group.file}"
        try:
            found = table.read_contacts(group)
        except BadInput as error:
            yield _say_unread(look, file, error)
            continue
        if (found["label"] >= found["other"]).any() or (found["faces"] == 0).any():
            yield Finding("wrong", file, "it has contacts without faces, or of labels in the wrong order")
        yield from check_ends(look, file)


def _say_unread(look: Look, file: str, error: BadInput) -> Finding:
    is_there = look.store.exists([file])[file]
    return Finding("undecodable", file, say_why(error)) if is_there else Finding("missing", file, "it is not there")


def _look_into(table: LabelTable, group: Group, before: int) -> tuple[int, str]:
    """The voxels of a group of rows, and what is wrong with it."""
    import numpy as np

    columns = table.read(group, tuple(table.index.columns))
    labels = columns["label"]
    if len(labels) != group.rows or int(labels[0]) != group.first or int(labels[-1]) != group.last:
        return 0, "its labels are not those of which the table's head tells"
    if (labels[1:] <= labels[:-1]).any() or group.first <= before:
        return 0, "its labels are not in order"
    low, high = (np.stack([columns[f"{end}_{axis}"] for axis in "xyz"]) for end in ("min", "max"))
    means = np.stack([columns[axis] for axis in "xyz"])
    if (low >= high).any() or (means < low).any() or (means > high).any():
        return 0, "it has boxes that are empty, or without their centroids"
    return int(columns["voxels"].sum()), ""


def _check_sums(key: str, index: TableIndex, rows: int, voxels: int) -> Iterator[Finding]:
    has_background = any(group.first == 0 for group in index.groups)
    if index.labels != rows - has_background:
        yield Finding(
            "wrong", key, f"it says that it has {index.labels:,} labels, and it has {rows - has_background:,}"
        )
    if voxels != index.bounds.voxels:
        yield Finding(
            "wrong",
            key,
            f"its labels have {voxels:,} voxels together, and what was counted has {index.bounds.voxels:,}",
        )
