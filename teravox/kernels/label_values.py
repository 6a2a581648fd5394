"""What an image holds in the voxels of each label: its lowest and highest value, and the sums of values and of their squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.label_table import ROW_AND_VALUES, Rows

Array = NDArray[Any]  # x, y and z: labels, or values of any number


def measure_values(rows: Rows, labels: Array, values: Array) -> Rows:
    """The rows of all labels of an array, with values. Whole numbers of up to 16 bits are added up exactly."""
    measured = np.empty(len(rows), ROW_AND_VALUES)
    for name in rows.dtype.names or ():
        measured[name] = rows[name]
    is_exact = values.dtype.kind in "iu" and values.dtype.itemsize <= 2
    kind = np.dtype(np.int64 if is_exact else np.float64)
    ends = (np.iinfo(np.int64).max, np.iinfo(np.int64).min) if is_exact else (np.inf, -np.inf)
    least: Array
    most: Array
    sums: Array
    squares: Array
    least, most = (np.full(len(rows), end, kind) for end in ends)
    sums, squares = np.zeros(len(rows), kind), np.zeros(len(rows), kind)
    known = read_only(np.ascontiguousarray(rows["label"]))
    for z in range(labels.shape[2]):  # a slice at a time, for want of a wide copy of all
        _add(
            read_only(labels[:, :, z].reshape(-1, order="F")),
            read_only(values[:, :, z].reshape(-1, order="F").astype(kind)),
            known,
            least,
            most,
            sums,
            squares,
        )
    measured["least"], measured["most"] = least, most
    for name, totals in (("values", sums), ("squares", squares)):
        measured[f"{name}_low"] = totals & 0xFFFFFFFF if is_exact else totals
        measured[f"{name}_high"] = totals >> 32 if is_exact else 0
    return measured


@compiled
def _add(  # pragma: no cover - compiled
    labels: Array, values: Array, known: NDArray[np.uint64], least: Array, most: Array, sums: Array, squares: Array
) -> None:
    at = 0
    while at < len(labels):
        label = labels[at]
        row = np.searchsorted(known, np.uint64(label))
        low, high, total, square = least[row], most[row], sums[row], squares[row]
        while at < len(labels) and labels[at] == label:
            value = values[at]
            low, high = min(low, value), max(high, value)
            total += value
            square += value * value
            at += 1
        least[row], most[row], sums[row], squares[row] = low, high, total, square
