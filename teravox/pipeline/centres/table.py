"""The table of the centres of a layer: Parquet files, one a slab, and an index that says what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.centres.options import Axis
from teravox.pipeline.errors import BadInput
from teravox.pipeline.evaluation.json_files import get_json, put_json
from teravox.pipeline.label_tables.parquet import ParquetWriter, Span, unpack
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sorted_rows.file import broken
from teravox.pipeline.storage.folders import remove_empty_folders
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.label_tables.parquet import Columns

COLUMNS = {"slice": "<i4", "label": "<u8", "area": "<u8", **dict.fromkeys("xyz", "<f8")}
"""A slice, by its place along the axis; the label of a part in it, its voxels, and their mean place in voxels."""

INDEX = "centres.json"
GROUP = 1 << 18  # rows of a row group
REMEDY = "Run image centres again"


class Group(msgspec.Struct, frozen=True):
    """Rows that lie together in a file, sorted by slice."""

    file: str
    rows: int
    columns: dict[str, Span]


class CentreIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What the file centres.json says; the groups follow each other in the order of the slices."""

    version: int = 1
    mip: int
    resolution: tuple[float, float, float]
    bounds: Box
    axis: Axis
    centres: int
    columns: dict[str, str]
    groups: tuple[Group, ...]


def folder_of(scale: Scale, axis: Axis) -> str:
    """Where the table of a mip lies, within its layer; it is that of the last time somebody looked."""
    return f"stats/centres/{scale.key}/{axis}"


def part_keys(folder: str, name: str, index: int) -> list[str]:
    """What a slab leaves behind: its rows, and what the index says of them."""
    return [f"{folder}/parts/{name}/{index:06d}.{ending}" for ending in ("parquet", "json")]


def write_part(store: Store, folder: str, keys: list[str], columns: Columns) -> None:
    """Write the rows of a slab."""
    data = bytearray()
    writer = ParquetWriter(data.extend, COLUMNS)
    groups = []
    rows = len(columns["slice"])
    for at in range(0, rows, GROUP):
        some = {name: column[at : at + GROUP] for name, column in columns.items()}
        spans = writer.add(some)
        groups.append(Group(keys[0].removeprefix(f"{folder}/"), len(some["slice"]), spans))
    writer.close()
    store.put(keys[0], bytes(data))
    put_json(store, keys[1], groups)


def complete(layer: Layer, mip: int, axis: Axis, bounds: Box, parts: list[list[str]]) -> CentreIndex:
    """Make the parts the table, and remove those of tables before; BadInput where one is missing."""
    store, scale = layer.store, layer.scale(mip)
    folder = folder_of(scale, axis)
    groups: list[Group] = []

    def read(keys: list[str]) -> list[Group]:
        return get_json(store, keys[1], list[Group], REMEDY)

    for found in side_by_side(read, parts):
        groups += found
    index = CentreIndex(
        mip=mip,
        resolution=scale.resolution,
        bounds=bounds,
        axis=axis,
        centres=sum(group.rows for group in groups),
        columns=COLUMNS,
        groups=tuple(sorted(groups, key=lambda group: group.file)),
    )
    put_json(store, f"{folder}/{INDEX}", index)
    kept = f"{parts[0][0].rpartition('/')[0]}/"
    store.delete([key for key in store.list(f"{folder}/parts/") if not key.startswith(kept)])
    remove_empty_folders(store, f"{folder}/parts")
    return index


class CentreTable:
    """Reads what image centres has left."""

    def __init__(self, store: Store, folder: str, index: CentreIndex) -> None:
        self._store = store
        self._folder = folder
        self.index = index

    @classmethod
    def open(cls, layer: Layer, mip: int, axis: Axis) -> CentreTable:
        """The table of a mip; BadInput says how to make it where there is none."""
        folder = folder_of(layer.scale(mip), axis)
        if layer.store.get(f"{folder}/{INDEX}") is None:
            raise BadInput(
                f"the centres of {layer.place(mip)} have not been found: "
                f"teravox image centres {layer.url} --mip {mip} --axis {axis}"
            )
        return cls(layer.store, folder, get_json(layer.store, f"{folder}/{INDEX}", CentreIndex, REMEDY))

    def groups(self) -> Iterator[dict[str, NDArray[Any]]]:
        """All columns, some rows at a time."""
        return map(self._read, self.index.groups)

    def _read(self, group: Group) -> dict[str, NDArray[Any]]:
        key = f"{self._folder}/{group.file}"
        data = self._store.get(key) or b""
        found = {}
        for name, type in self.index.columns.items():
            span = group.columns[name]
            try:
                found[name] = unpack(data[span.start : span.start + span.size], type, group.rows)
            except ValueError as error:
                raise broken(self._store, key, f"{name}: {error}", REMEDY) from None
        return found
