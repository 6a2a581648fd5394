"""The table of a layer's labels: how many voxels each has, where, and in what box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.label_tables.parquet import Span, unpack
from teravox.pipeline.label_tables.places import table_folder
from teravox.pipeline.label_tables.plan import REMEDY
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sorted_rows.file import broken
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint64]

TABLE = "table.json"
COLUMNS = {
    "label": "<u8",
    "voxels": "<u8",
    **{f"{end}_{axis}": "<i4" for end in ("min", "max") for axis in "xyz"},
    **dict.fromkeys("xyz", "<f8"),
    "radius": "<f8",
    "at_border": "<i4",
}
"""The names and types of the columns: a label, its voxels, the half-open box around them, their mean coordinates, the radius
of a ball with their volume in nanometres, and 1 where the label reaches a side of what was counted."""
PARTNERS = {"contacts": "<i4"}  # how many other labels it touches, where that was counted
GREY = dict.fromkeys(("least", "most", "mean", "sd"), "<f8")  # of the image, where one was measured
CONTACTS = {"label": "<u8", "other": "<u8", "faces": "<u8", "area": "<f8"}
"""The columns of the table of contacts: two labels, the faces of voxels between them, and their area in square nanometres."""


class Group(msgspec.Struct, frozen=True):
    """Rows that lie together in a file, sorted by label."""

    file: str
    rows: int
    first: int  # label
    last: int
    columns: dict[str, Span]


class TableIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What the file table.json says; the groups follow each other in the order of their labels."""

    version: int = 1
    mip: int
    resolution: tuple[float, float, float]
    bounds: Box
    labels: int  # without the background
    columns: dict[str, str]
    groups: tuple[Group, ...]
    contacts: tuple[Group, ...] | None = None  # of the table of contacts, sorted by label; None where it was not made
    values: str | None = None  # the image that was measured


class LabelTable:
    """Reads the table that image count has left; only those columns and rows that are asked for."""

    def __init__(self, store: Store, folder: str, index: TableIndex) -> None:
        self._store = store
        self._folder = folder
        self.index = index

    @classmethod
    def open(cls, layer: Layer, mip: int, bounds: Box | None = None) -> LabelTable:
        """The table of a mip, or of a part of it; BadInput says how to make it where there is none."""
        folder = table_folder(layer.scale(mip), bounds)
        key = f"{folder}/{TABLE}"
        data = layer.store.get(key)
        if data is None:
            within = "" if bounds is None else f" --bounds {bounds}"
            raise BadInput(
                f"the labels of {layer.place(mip)} have not been counted: "
                f"teravox image count {layer.url} --mip {mip}{within}"
            )
        try:
            index = msgspec.json.decode(data, type=TableIndex)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise broken(layer.store, key, str(error), REMEDY) from None
        if index.version != 1:
            raise BadInput(f"{layer.store.url}/{key} is of version {index.version}, and this teravox knows 1")
        return cls(layer.store, folder, index)

    def voxels(self, labels: Labels) -> Labels:
        """How many voxels each of these labels has; 0 where there is no such label."""
        import numpy as np

        voxels = np.zeros(len(labels), np.uint64)
        order = np.argsort(labels)
        wanted = labels[order]
        for group in self.index.groups:
            low, high = np.array([group.first, group.last], np.uint64)
            start, stop = np.searchsorted(wanted, low), np.searchsorted(wanted, high, "right")
            if start == stop:
                continue
            found = self.read(group, ("label", "voxels"))
            some = wanted[start:stop]
            at = np.searchsorted(found["label"], some)
            voxels[order[start:stop]] = np.where(found["label"][at] == some, found["voxels"][at], 0)
        return voxels

    def at_least(self, voxels: int) -> Labels:
        """The labels that have so many voxels or more, without the background, sorted."""
        import numpy as np

        large = [np.empty(0, np.uint64)]
        for group in self.index.groups:
            found = self.read(group, ("label", "voxels"))
            large.append(found["label"][(found["voxels"] >= voxels) & (found["label"] > 0)])
        return np.concatenate(large)

    def groups(self) -> Iterator[dict[str, NDArray[Any]]]:
        """All columns, some rows at a time, sorted by label."""
        return (self.read(group, tuple(self.index.columns)) for group in self.index.groups)

    def contacts(self) -> Iterator[dict[str, NDArray[Any]]]:
        """The table of contacts, some rows at a time, sorted by label; each pair once, the smaller label first."""
        return (self.read_contacts(group) for group in self.index.contacts or ())

    def read_contacts(self, group: Group) -> dict[str, NDArray[Any]]:
        """A group of rows of the table of contacts."""
        return self._read(group, CONTACTS)

    def read(self, group: Group, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Some columns of a group."""
        return self._read(group, {name: self.index.columns[name] for name in names})

    def _read(self, group: Group, types: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        key = f"{self._folder}/{group.file}"

        def column(name: str) -> tuple[str, NDArray[Any]]:
            span = group.columns[name]
            data = self._store.get_range(key, span.start, span.start + span.size)
            try:
                return name, unpack(data or b"", types[name], group.rows)
            except ValueError as error:
                raise broken(self._store, key, f"{name}: {error}", REMEDY) from None

        found = dict(side_by_side(column, types))
        return {name: found[name] for name in types}
