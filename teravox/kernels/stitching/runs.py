"""The labels of a volume as runs along x: a tenth of the voxels or less, so that keeping and comparing them is quick."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only

Labels = NDArray[np.uint32]  # x, y and z
Numbers = NDArray[np.int32]


class Runs(NamedTuple):
    """The runs of labels that are not 0, row by row."""

    starts: Numbers  # along x
    ends: Numbers
    labels: NDArray[np.uint32]
    rows: NDArray[np.int64]  # where the runs of each row begin, and where the last one's end


def cut_runs(labels: Labels) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The runs of a volume, x fastest, then y, then z, those of 0 among them: their labels and lengths."""
    return _cut(read_only(labels))


def make_runs(labels: NDArray[np.uint32], lengths: NDArray[np.uint32], row: int, rows: int) -> Runs:
    """The same with their places; ValueError where they do not fill so many rows of this length."""
    made = _make(read_only(labels), read_only(lengths), row, rows)
    if len(made[3]) != rows + 1:
        raise ValueError(f"its runs do not fill {rows:,} rows of {row:,} voxels")
    return Runs(*made)


def find_runs(labels: Labels) -> Runs:
    """The runs of a volume that are not 0."""
    nx, ny, nz = labels.shape
    return make_runs(*cut_runs(labels), nx, ny * nz)


def without(runs: Runs, dropped: NDArray[np.uint32]) -> Runs:
    """The runs of all labels but some."""
    kept = ~np.isin(runs.labels, dropped)
    before = np.concatenate([[0], np.cumsum(kept)])
    return Runs(runs.starts[kept], runs.ends[kept], runs.labels[kept], before[runs.rows])


@compiled
def _cut(voxels: Labels) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:  # pragma: no cover - compiled
    nx, ny, nz = voxels.shape
    number = ny * nz
    for z in range(nz):
        for y in range(ny):
            for x in range(1, nx):
                number += voxels[x, y, z] != voxels[x - 1, y, z]
    labels, lengths = np.empty(number, np.uint32), np.empty(number, np.uint32)
    found = 0
    for z in range(nz):
        for y in range(ny):
            label = voxels[0, y, z]
            begin = 0
            for x in range(1, nx):
                if voxels[x, y, z] != label:
                    labels[found] = label
                    lengths[found] = x - begin
                    found += 1
                    begin = x
                    label = voxels[x, y, z]
            labels[found] = label
            lengths[found] = nx - begin
            found += 1
    return labels, lengths


@compiled
def _make(  # pragma: no cover - compiled
    labels: NDArray[np.uint32], lengths: NDArray[np.uint32], nx: int, number: int
) -> tuple[Numbers, Numbers, NDArray[np.uint32], NDArray[np.int64]]:
    starts, ends = np.empty(len(labels), np.int32), np.empty(len(labels), np.int32)
    kept = np.empty(len(labels), np.uint32)
    rows = np.zeros(number + 1, np.int64)
    found, row, x = 0, 0, 0
    for run in range(len(labels)):
        end = x + int(lengths[run])
        if row == number or end > nx or lengths[run] == 0:
            return starts[:0], ends[:0], kept[:0], rows[:0]
        if labels[run] != 0:
            starts[found] = x
            ends[found] = end
            kept[found] = labels[run]
            found += 1
        x = end
        if x == nx:
            row += 1
            rows[row] = found
            x = 0
    if row != number:
        return starts[:0], ends[:0], kept[:0], rows[:0]
    return starts[:found], ends[:found], kept[:found], rows
