"""Tables of labels, as rows: the voxels of each, its box, the sums of its coordinates, and what an image holds in its voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]  # of dtype ROW or WIDE, sorted by label, each label once

_SAME = [("label", "<u8"), ("voxels", "<u8"), ("min", "<i4", 3), ("max", "<i4", 3)]
ROW = np.dtype([*_SAME, ("sum", "<i8", 3)])
"""A label: its voxels, the half-open box around them, and the sums of their coordinates."""
WIDE = np.dtype([*_SAME, ("low", "<i8", 3), ("high", "<i8", 3)])
"""The same, with the lower and upper 32 bits of sums kept apart, so that a million rows can be added up."""
VALUES = [(name, "<f8") for name in ("least", "most", "values_low", "values_high", "squares_low", "squares_high")]
"""What rows have besides where an image is measured: its lowest and highest value, and sums of values and of their squares.

The sums are kept apart like those of coordinates where the values are whole numbers, so that they are exact; the upper
part is 0 for others.
"""
ROW_AND_VALUES, WIDE_AND_VALUES = np.dtype([*ROW.descr, *VALUES]), np.dtype([*WIDE.descr, *VALUES])

MERGING = 320  # bytes of a row while `merge` works; of one with values half as much again


_ADDING = {"min": np.minimum, "least": np.minimum, "max": np.maximum, "most": np.maximum}


def merge(rows: Rows) -> Rows:
    """One row for each label, of any number of rows in any order; the order changes nothing."""
    if not len(rows):
        return rows
    order = np.argsort(rows["label"], kind="stable")
    labels = rows["label"][order]
    first = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    merged = np.empty(len(first), rows.dtype)
    merged["label"] = labels[first]
    for name in (rows.dtype.names or ())[1:]:
        add = _ADDING.get(name, np.add)
        columns, results = (table[name].reshape(len(table), -1) for table in (rows, merged))
        for axis in range(results.shape[1]):
            results[:, axis] = add.reduceat(columns[:, axis][order], first)
    return merged


def widen(rows: Rows) -> Rows:
    """Rows that can be added up a million times."""
    wide = np.empty(len(rows), WIDE if rows.dtype == ROW else WIDE_AND_VALUES)
    for name in set(rows.dtype.names or ()) - {"sum"}:
        wide[name] = rows[name]
    wide["low"] = rows["sum"] & 0xFFFFFFFF
    wide["high"] = rows["sum"] >> 32
    return wide


def centroids(rows: Rows) -> NDArray[np.float64]:
    """The mean coordinates of the voxels of each wide row."""
    sums = rows["high"] * 2.0**32 + rows["low"]
    return np.asarray(sums / rows["voxels"][:, np.newaxis])


def means(rows: Rows) -> NDArray[np.float64]:
    """The mean of an image in the voxels of each row with values."""
    return np.asarray((rows["values_high"] * 2.0**32 + rows["values_low"]) / rows["voxels"])


def deviations(rows: Rows) -> NDArray[np.float64]:
    """The standard deviation of an image in the voxels of each row with values."""
    squares = (rows["squares_high"] * 2.0**32 + rows["squares_low"]) / rows["voxels"]
    return np.asarray(np.sqrt(np.maximum(squares - means(rows) ** 2, 0)))
