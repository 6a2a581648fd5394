"""Merges what was counted in all boxes, one range of labels at a time, and puts the table in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables.columns import columns, columns_of, contact_columns
from teravox.pipeline.label_tables.merged import is_merged
from teravox.pipeline.label_tables.parquet import ParquetWriter
from teravox.pipeline.label_tables.plan import REMEDY, Counts, MergePlan, open_contacts, open_counts, plan_merge
from teravox.pipeline.label_tables.sums import LabelSums
from teravox.pipeline.label_tables.table import CONTACTS, TABLE, Group, TableIndex
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sorted_rows.file import RowsFile, broken
from teravox.pipeline.sorted_rows.key_range import KeyRange
from teravox.pipeline.storage.folders import remove_empty_folders
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.kernels.label_contacts import Contacts
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


def _room(counts: Counts, memory: int) -> int:
    """The same for what was counted: rows with values take half as much again."""
    room = room_for_merge(memory)
    return room if counts.values is None else room * 2 // 3


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
    plan = plan_merge(layer.store, folder, counts, _room(counts, memory))
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


def part_keys(folder: str, piece: KeyRange, *, contacts: bool) -> list[str]:
    """What a range leaves behind: its part of the table, and what the index of the table says of it; the same of contacts."""
    endings = ("parquet", "json", "contacts.parquet", "contacts.json")
    return [f"{folder}/parts/{piece.plan}/{piece.number:05d}.{ending}" for ending in endings[: 4 if contacts else 2]]


def merge_range(layer: Layer, folder: str, plan: MergePlan, piece: KeyRange, memory: int) -> None:
    """Write the part of the table that a range of labels makes, unless all of it is there.

    It may run twice, and beside other ranges.
    """
    store = layer.store
    if piece.plan != plan.id:
        raise BadInput(f"range {piece.number} belongs to plan {piece.plan}, and {store.url}/{folder} has a newer one")
    if is_merged(store, folder, plan.counts):
        return
    rows = _merge_rows(store, folder, plan, piece, memory)
    contacts = _merge_contacts(store, folder, plan, piece, memory) if plan.counts.contacts else None
    resolution = layer.scale(plan.counts.mip).resolution
    keys = part_keys(folder, piece, contacts=contacts is not None)
    tables = [(columns_of(plan.counts), columns(rows, contacts, plan.counts, resolution), rows["label"])]
    if contacts is not None:
        once = contacts[contacts["label"] < contacts["other"]]
        tables.append((CONTACTS, contact_columns(once, resolution), once["label"]))
    for (types, found, labels), data, index in zip(tables, keys[::2], keys[1::2], strict=True):
        file, groups = _encode(types, found, labels, data.removeprefix(f"{folder}/"))
        store.put(data, file)
        _put_json(store, index, groups)


def _merge_rows(store: Store, folder: str, plan: MergePlan, piece: KeyRange, memory: int) -> Rows:
    from teravox.kernels.label_table import ROW, ROW_AND_VALUES, widen

    kind = ROW if plan.counts.values is None else ROW_AND_VALUES
    sums = LabelSums(_room(plan.counts, memory), f"range {piece.number} of {store.url}/{folder}")

    def read(file: RowsFile) -> Rows:
        return widen(file.read(piece.first, piece.last, kind))

    files = open_counts(store, folder, plan.counts)
    for rows in side_by_side(read, files) if plan.counts.values is None else map(read, files):
        sums.add(rows)  # in their order where fractions are added up, so that the same comes of it
    return sums.rows()


def _merge_contacts(store: Store, folder: str, plan: MergePlan, piece: KeyRange, memory: int) -> Contacts:
    from teravox.kernels.label_contacts import CONTACT, merge

    place = f"range {piece.number} of {store.url}/{folder}"
    sums = LabelSums(room_for_merge(memory), place, merge, "contacts between labels")
    for contacts in side_by_side(
        lambda file: file.read(piece.first, piece.last, CONTACT), open_contacts(store, folder, plan.counts)
    ):
        sums.add(contacts)
    return sums.rows()


def complete_table(layer: Layer, folder: str, plan: MergePlan) -> TableIndex:
    """Put the index in place that makes the parts of a plan the table, and remove those of tables before."""
    store = layer.store
    groups = _read_groups(store, folder, plan, 0)
    scale = layer.scale(plan.counts.mip)
    index = TableIndex(
        mip=plan.counts.mip,
        resolution=scale.resolution,
        bounds=plan.counts.bounds,
        labels=sum(group.rows for group in groups) - any(group.first == 0 for group in groups),
        columns={
            name: type for name, type in columns_of(plan.counts).items() if not groups or name in groups[0].columns
        },
        groups=groups,
        contacts=_read_groups(store, folder, plan, 1) if plan.counts.contacts else None,
        values=plan.counts.values,
    )
    _put_json(store, f"{folder}/{TABLE}", index)
    used = f"{folder}/parts/{plan.id}/"
    store.delete([key for key in store.list(f"{folder}/parts/") if not key.startswith(used)])
    remove_empty_folders(store, f"{folder}/parts")
    return index


def _read_groups(store: Store, folder: str, plan: MergePlan, number: int) -> tuple[Group, ...]:
    """What all ranges say of their parts of the table, or of those of the table of contacts, which is number 1."""
    groups: list[Group] = []
    for piece in plan.ranges:
        key = part_keys(folder, piece, contacts=plan.counts.contacts)[2 * number + 1]
        part = _get_json(store, key, list[Group])
        if part is None:
            raise BadInput(f"{store.url}/{key} is missing, so the table is not complete: run image count-merge again")
        groups += part
    return tuple(groups)


def _encode(types: Mapping[str, str], columns: Columns, labels: NDArray[Any], file: str) -> tuple[bytes, list[Group]]:
    data = bytearray()
    writer = ParquetWriter(data.extend, types)
    groups = []
    for at in range(0, len(labels), GROUP):
        some = labels[at : at + GROUP]
        spans = writer.add({name: column[at : at + GROUP] for name, column in columns.items()})
        groups.append(Group(file, len(some), int(some[0]), int(some[-1]), spans))
    writer.close()
    return bytes(data), groups


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
