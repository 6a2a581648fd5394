"""Merges what was counted in all boxes, one range of labels at a time, and puts the table in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables.merged import is_merged
from teravox.pipeline.label_tables.parquet import ParquetWriter
from teravox.pipeline.label_tables.plan import REMEDY, Counts, MergePlan, open_counts, plan_merge
from teravox.pipeline.label_tables.sums import LabelSums
from teravox.pipeline.label_tables.table import COLUMNS, TABLE, Group, TableIndex
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sorted_rows.file import RowsFile, broken
from teravox.pipeline.sorted_rows.key_range import KeyRange
from teravox.pipeline.storage.folders import remove_empty_folders
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.kernels.label_table import Rows
    from teravox.pipeline.label_tables.parquet import Columns

T = TypeVar("T")

READING = 200  # bytes of a row until it is added: as it lies in the object, widened, and in a column of the result
GROUP = 1 << 18  # rows of a row group
LEAST = 10_000  # rows that a merge must be able to hold
COUNTS, PLAN = "counts.json", "plan.json"


def room_for_merge(memory: int) -> int:
    """How many rows may be held within so many bytes; BadUsage where that is next to none."""
    from teravox.kernels.label_table import MERGING

    row = MERGING + READING
    room = (memory - LIBRARIES) // row
    if room < LEAST:
        least = LIBRARIES + LEAST * row
        raise BadUsage(f"--memory: {say_bytes(memory)} are too little to merge counts; give it {say_bytes(least)}")
    return room


def record_counts(store: Store, folder: str, counts: Counts) -> None:
    """Write down that these boxes are counted, all of them."""
    _put_json(store, f"{folder}/{COUNTS}", counts)


def make_plan(layer: Layer, mip: int, folder: str, memory: int) -> MergePlan:
    """Plan how to merge what was counted, and write it down for those who do it; where it is merged, the plan that was made."""
    counts = _get_json(layer.store, f"{folder}/{COUNTS}", Counts)
    if counts is None:
        raise BadInput(f"{layer.place(mip)} has no counts that could be merged: run image count first, to its end")
    if is_merged(layer.store, folder, counts):
        return read_plan(layer, mip, folder)
    plan = plan_merge(layer.store, folder, counts, room_for_merge(memory))
    _put_json(layer.store, f"{folder}/{PLAN}", plan)
    return plan


def read_plan(layer: Layer, mip: int, folder: str) -> MergePlan:
    """The plan that was made last."""
    plan = _get_json(layer.store, f"{folder}/{PLAN}", MergePlan)
    if plan is None:
        raise BadInput(
            f"there is no plan of how to merge the counts of {layer.place(mip)}: run image count-merge again"
        )
    return plan


def part_keys(folder: str, piece: KeyRange) -> list[str]:
    """What a range leaves behind: its part of the table, and what the index of the table says of it."""
    return [f"{folder}/parts/{piece.plan}/{piece.number:05d}.{ending}" for ending in ("parquet", "json")]


def merge_range(store: Store, folder: str, plan: MergePlan, piece: KeyRange, memory: int) -> None:
    """Write the part of the table that a range of labels makes, unless all of it is there.

    It may run twice, and beside other ranges.
    """
    from teravox.kernels.label_table import ROW, widen

    if piece.plan != plan.id:
        raise BadInput(f"range {piece.number} belongs to plan {piece.plan}, and {store.url}/{folder} has a newer one")
    if is_merged(store, folder, plan.counts):
        return
    sums = LabelSums(room_for_merge(memory), f"range {piece.number} of {store.url}/{folder}")

    def read(file: RowsFile) -> Rows:
        return widen(file.read(piece.first, piece.last, ROW))

    for rows in side_by_side(read, open_counts(store, folder, plan.counts)):
        sums.add(rows)
    data, index = part_keys(folder, piece)
    file, groups = _encode(sums.rows(), data.removeprefix(f"{folder}/"))
    store.put(data, file)
    _put_json(store, index, groups)


def complete_table(layer: Layer, folder: str, plan: MergePlan) -> TableIndex:
    """Put the index in place that makes the parts of a plan the table, and remove those of tables before."""
    store = layer.store
    groups: list[Group] = []
    for piece in plan.ranges:
        key = part_keys(folder, piece)[1]
        part = _get_json(store, key, list[Group])
        if part is None:
            raise BadInput(f"{store.url}/{key} is missing, so the table is not complete: run image count-merge again")
        groups += part
    scale = layer.scale(plan.counts.mip)
    index = TableIndex(
        mip=plan.counts.mip,
        resolution=scale.resolution,
        bounds=plan.counts.bounds,
        labels=sum(group.rows for group in groups) - any(group.first == 0 for group in groups),
        columns=COLUMNS,
        groups=tuple(groups),
    )
    _put_json(store, f"{folder}/{TABLE}", index)
    used = f"{folder}/parts/{plan.id}/"
    store.delete([key for key in store.list(f"{folder}/parts/") if not key.startswith(used)])
    remove_empty_folders(store, f"{folder}/parts")
    return index


def _encode(rows: Rows, file: str) -> tuple[bytes, list[Group]]:
    data = bytearray()
    writer = ParquetWriter(data.extend, COLUMNS)
    groups = []
    for at in range(0, len(rows), GROUP):
        some = rows[at : at + GROUP]
        spans = writer.add(_columns(some))
        groups.append(Group(file, len(some), int(some["label"][0]), int(some["label"][-1]), spans))
    writer.close()
    return bytes(data), groups


def _columns(rows: Rows) -> Columns:
    from teravox.kernels.label_table import centroids

    means = centroids(rows)
    return {
        "label": rows["label"],
        "voxels": rows["voxels"],
        **{f"{end}_{axis}": rows[end][:, n] for end in ("min", "max") for n, axis in enumerate("xyz")},
        **{axis: means[:, n] for n, axis in enumerate("xyz")},
    }


def _put_json(store: Store, key: str, value: object) -> None:
    data = msgspec.json.format(msgspec.json.encode(value), indent=1)
    store.put(key, data + b"\n", content_type="application/json")


def _get_json(store: Store, key: str, type: type[T]) -> T | None:
    data = store.get(key)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise broken(store, key, str(error), REMEDY) from None
