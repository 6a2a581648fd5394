"""Sums over neighbouring voxels along z, then y, then x, of which filters consist, row by row.

Each voxel is summed by itself, in the same order wherever its row begins, so no bit depends on the box. Which sums are
taken is said by tables, a line for each: where the result goes, where it comes from, and the kernel. Sums along one axis
are shared by all that follow along the next. Rows are named by numbers: arrays that are handed on are counted in and out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.learning.stencils import FIRST, INNER_FIRST, SECOND

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Five = tuple[int, int, int, int, int]  # rows of the source: the middle one, the two beside it, the two beyond

STRIP = 256  # columns that are worked on at once along a row
ALONG = 2  # columns that sums along a row reach to either side
KEPT = 5  # rows of each sum along z that are kept for those along y


class Tables(NamedTuple):
    """Which sums are taken along z, y and x."""

    z: Places
    y: Places
    x: Places


def make_tables(kernels: Mapping[int, tuple[int, int, int]], *, flat: bool) -> Tables:
    """The sums that make rows of these numbers by these kernels; none of derivatives along z, where there is no z."""
    if flat:
        kernels = {row: along for row, along in kernels.items() if along[0] not in (FIRST, SECOND, INNER_FIRST)}
    z = sorted({along[0] for along in kernels.values()})
    y = sorted({along[:2] for along in kernels.values()})
    return Tables(
        np.array([(place, 0, kernel) for place, kernel in enumerate(z)]),
        np.array([(place, z.index(one), other) for place, (one, other) in enumerate(y)]),
        np.array([(row, y.index(along[:2]), along[2]) for row, along in kernels.items()]),
    )


@compiled
def sum_along_z(into: Floats, source: Floats, rows: Five, place: int, table: Places, taps: Floats) -> None:
    """One more row of each sum, among those that are kept."""
    for line in range(len(table)):
        _sum_rows(into, table[line, 0] * KEPT + place % KEPT, source, rows, table[line, 2], taps)


@compiled
def sum_along_y(into: Floats, source: Floats, place: int, reach: int, table: Places, taps: Floats) -> None:
    """From the rows that are kept round one."""
    around = five(place, 1, reach)
    for line in range(len(table)):
        rows = among_kept(around, table[line, 1] * KEPT, 1)
        _sum_rows(into, table[line, 0], source, rows, table[line, 2], taps)


@compiled
def sum_along_x(into: Floats, size: int, source: Floats, start: int, table: Places, taps: Floats) -> None:
    """So many columns, which begin at `start` in the source."""
    for line in range(len(table)):
        sum_along(into, table[line, 0], size, source, table[line, 1], start, table[line, 2], taps)


@compiled
def sum_along(
    into: Floats, row: int, size: int, source: Floats, from_row: int, start: int, kernel: int, taps: Floats
) -> None:
    """The same of one row."""
    result, line = into[row, :size], source[from_row, start - ALONG : start + size + ALONG]
    zero, one, two = taps[kernel, 0], taps[kernel, 1], taps[kernel, 2]
    if kernel in (FIRST, INNER_FIRST):
        for at in range(size):
            result[at] = (line[at + 3] - line[at + 1]) * one + (line[at + 4] - line[at]) * two
    else:
        for at in range(size):
            result[at] = line[at + 2] * zero + (line[at + 1] + line[at + 3]) * one + (line[at] + line[at + 4]) * two


@compiled
def _sum_rows(into: Floats, row: int, source: Floats, rows: Five, kernel: int, taps: Floats) -> None:
    if kernel in (FIRST, INNER_FIRST):
        result = into[row]
        before, after, far_before, far_after = source[rows[1]], source[rows[2]], source[rows[3]], source[rows[4]]
        one, two = taps[kernel, 1], taps[kernel, 2]
        for at in range(len(result)):
            result[at] = (after[at] - before[at]) * one + (far_after[at] - far_before[at]) * two
    else:
        add_rows(into, row, into.shape[1], source, rows, 0, kernel, taps)


@compiled
def add_rows(
    into: Floats, row: int, size: int, source: Floats, rows: Five, start: int, kernel: int, taps: Floats
) -> None:
    """A smoothing or a second derivative across rows, of so many columns from `start` on."""
    stop = start + size
    result, middle = into[row, :size], source[rows[0], start:stop]
    before, after = source[rows[1], start:stop], source[rows[2], start:stop]
    far_before, far_after = source[rows[3], start:stop], source[rows[4], start:stop]
    zero, one, two = taps[kernel, 0], taps[kernel, 1], taps[kernel, 2]
    for at in range(size):
        result[at] = middle[at] * zero + (before[at] + after[at]) * one + (far_before[at] + far_after[at]) * two


@compiled
def write(
    into: NDArray[np.float32], column: int, z: int, y: int, start: int, source: Floats, row: int, size: int
) -> None:
    """Copy the beginning of a row to a column of the features."""
    result, line = into[column, z, y, start : start + size], source[row]
    for at in range(size):
        result[at] = line[at]


@compiled
def five(middle: int, step: int, reach: int) -> Five:
    """Rows `step` apart: those out of reach, which have no weight, are the last within it."""
    near, far = min(1, reach) * step, min(2, reach) * step
    return middle, middle - near, middle + near, middle - far, middle + far


@compiled
def among_kept(rows: Five, base: int, step: int) -> Five:
    """Where rows, or planes, lie among the last ones, which are kept in turn."""
    middle, before, after, far_before, far_after = rows
    return (
        base + middle % KEPT * step,
        base + before % KEPT * step,
        base + after % KEPT * step,
        base + far_before % KEPT * step,
        base + far_after % KEPT * step,
    )
