"""The labels of a range and into how much of the other side's they fall apart, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from teravox.pipeline.evaluation.sums import Body

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.uint64]
    Column = NDArray[Any]  # of the types in COLUMNS
    Columns = dict[str, Column]

COLUMNS = {"label": "<u8", "voxels": "<u8", "bits": "<f8", "parts": "<u8", "largest": "<u8", "overlap": "<u8"}
"""A label, its voxels, the bits that it takes to say in which part of it one is, and how many labels of the other side
are on it, which of them shares most voxels with it, and how many."""


def table_of(bodies: Counts, sizes: Counts, places: NDArray[np.int64], others: Counts, voxels: Counts) -> Columns:
    """The rows of those bodies that have pairs; a pair is of the body at its place and of another label."""
    import numpy as np

    from teravox.kernels.evaluation.exact import UNIT, informations

    order = np.lexsort([others, ~voxels, places])
    at = places[order]
    first = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]])) if len(at) else at
    there = at[first]
    whole, rest = informations(voxels[order], sizes[at])
    if len(first):
        whole, rest = np.add.reduceat(whole, first), np.add.reduceat(rest, first)
    whole, rest = whole + rest // UNIT, rest % UNIT
    return {
        "label": bodies[there],
        "voxels": sizes[there],
        "bits": (whole + rest / UNIT) / sizes[there],
        "parts": np.diff(np.append(first, len(at))).astype(np.uint64),
        "largest": others[order][first],
        "overlap": voxels[order][first],
        "whole": whole,
        "rest": rest,
    }


def bodies_at(table: Columns, rows: Iterable[int]) -> list[Body]:
    """Some rows, for the report."""
    from teravox.kernels.evaluation.exact import UNIT

    return [
        Body(
            label=int(table["label"][row]),
            voxels=int(table["voxels"][row]),
            information=int(table["whole"][row]) * UNIT + int(table["rest"][row]),
            parts=int(table["parts"][row]),
            largest=int(table["largest"][row]),
            overlap=int(table["overlap"][row]),
        )
        for row in rows
    ]


def worst_rows(table: Columns, most: int) -> list[int]:
    """Where those stand that add most to VI."""
    import numpy as np

    bad = np.flatnonzero((table["whole"] > 0) | (table["rest"] > 0))
    order = np.lexsort([table["label"][bad], -table["rest"][bad], -table["whole"][bad]])
    rows: list[int] = bad[order[:most]].tolist()
    return rows


def some_rows(table: Columns, chosen: NDArray[np.bool_]) -> Columns:
    return {name: column[chosen] for name, column in table.items()}


def encode_table(table: Columns) -> bytes:
    """The table as a Parquet file."""
    from teravox.pipeline.label_tables.parquet import ParquetWriter

    data = bytearray()
    writer = ParquetWriter(data.extend, COLUMNS)
    if len(table["label"]):
        writer.add(table)
    writer.close()
    return bytes(data)


def columns_of(bodies: list[Body]) -> Columns:
    """Bodies of the report as a table."""
    import numpy as np

    from teravox.kernels.evaluation.exact import UNIT

    columns = {name: [getattr(body, name, 0) for body in bodies] for name in COLUMNS}
    columns["bits"] = [body.information / UNIT / body.voxels for body in bodies]
    return {name: np.array(column, COLUMNS[name]) for name, column in columns.items()}
