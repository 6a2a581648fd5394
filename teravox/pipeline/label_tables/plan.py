"""Into which ranges of labels the counts of many boxes are merged, so that each range fits in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.label_tables.label_range import LabelRange
from teravox.pipeline.label_tables.places import counts_key
from teravox.pipeline.label_tables.rows_file import RowsFile
from teravox.pipeline.storage.side_by_side import LANES, side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LAST = 2**64 - 1  # the largest label that there can be
SPARE = 4  # times the rows that a range should have may be in memory, since ranges are guessed from samples


class Counts(msgspec.Struct, frozen=True):
    """What was counted: the bounds, in the pieces of a grid around them."""

    mip: int
    bounds: Box
    around: Box
    shape: Vec

    @property
    def grid(self) -> Grid:
        return Grid(self.around, self.shape)

    def keys(self, folder: str) -> Iterator[str]:
        return (counts_key(folder, self.shape, piece) for piece in self.grid)


class MergePlan(msgspec.Struct, frozen=True):
    """The ranges that together hold every label."""

    id: str  # of what was counted and how it is divided, so the same plan has the same results
    counts: Counts
    rows: int
    ranges: tuple[LabelRange, ...]


def plan_merge(store: Store, folder: str, counts: Counts, room: int) -> MergePlan:
    """Divide all labels so that of each range about a quarter of `room` rows is to be read.

    BadInput where a box was not counted.
    """
    import numpy as np

    digest = hashlib.blake2b(digest_size=8)
    marks: list[NDArray[np.uint64]] = []
    weights: list[NDArray[np.int64]] = []
    for file in open_counts(store, folder, counts):
        digest.update(f"{file.key} {file.digest}\n".encode())
        marks.append(file.labels)
        weight = np.full(len(file.labels), file.step)
        weight[-1:] = file.rows - file.step * (len(weight) - 1)
        weights.append(weight)
    starts = _starts(np.concatenate(marks), np.concatenate(weights), max(1, room // SPARE))
    digest.update(repr(starts).encode())
    plan = digest.hexdigest()
    ends = [start - 1 for start in starts[1:]] + [LAST]
    ranges = [LabelRange(plan, n, first, last) for n, (first, last) in enumerate(zip(starts, ends, strict=True))]
    return MergePlan(plan, counts, int(sum(weight.sum() for weight in weights)), tuple(ranges))


def open_counts(store: Store, folder: str, counts: Counts) -> Iterator[RowsFile]:
    """What was counted in each box, in the order of the boxes."""
    keys = list(counts.keys(folder))
    for at in range(0, len(keys), 4 * LANES):
        some = keys[at : at + 4 * LANES]
        found = dict(side_by_side(lambda key: (key, RowsFile.open(store, key)), some))
        for key in some:
            file = found[key]
            if file is None:
                raise BadInput(f"{store.url}/{key} is missing, so not every box was counted: run image count again")
            yield file


def _starts(marks: NDArray[np.uint64], weights: NDArray[np.int64], target: int) -> list[int]:
    """The first label of each range; 0 is that of the first one."""
    import numpy as np

    order = np.argsort(marks, kind="stable")
    marks, ends = marks[order], np.cumsum(weights[order])
    changes = np.flatnonzero(np.diff((ends - 1) // target)) + 1
    starts: list[int] = np.unique(marks[changes]).tolist()
    return [0, *(start for start in starts if start > marks[0])]
