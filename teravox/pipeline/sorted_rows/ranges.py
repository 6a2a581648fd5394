"""Into which ranges of keys the rows of many objects are cut, so that what lies in each fits in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.sorted_rows.key_range import KeyRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.sorted_rows.file import RowsFile

LAST = 2**64 - 1  # the largest key that there can be
SPARE = 4  # times the rows that a range should have may be in memory, since ranges are guessed from samples


class Ranges(msgspec.Struct, frozen=True):
    """The ranges that together hold every key."""

    plan: str  # of what the objects hold and how it is divided, so the same plan has the same results
    rows: int
    ranges: tuple[KeyRange, ...]


def plan_ranges(files: Iterable[RowsFile], room: int) -> Ranges:
    """Ranges of which each has about a quarter of `room` rows; the same files and room give the same."""
    import numpy as np

    digest = hashlib.blake2b(digest_size=8)
    marks: list[NDArray[np.uint64]] = []
    weights: list[NDArray[np.int64]] = []
    for file in files:
        digest.update(f"{file.key} {file.digest}\n".encode())
        marks.append(file.keys)
        weight = np.full(len(file.keys), file.step)
        weight[-1:] = file.rows - file.step * (len(weight) - 1)
        weights.append(weight)
    starts = _starts(np.concatenate(marks), np.concatenate(weights), max(1, room // SPARE))
    digest.update(repr(starts).encode())
    plan = digest.hexdigest()
    ends = [start - 1 for start in starts[1:]] + [LAST]
    ranges = [KeyRange(plan, n, first, last) for n, (first, last) in enumerate(zip(starts, ends, strict=True))]
    return Ranges(plan, int(sum(weight.sum() for weight in weights)), tuple(ranges))


def _starts(marks: NDArray[np.uint64], weights: NDArray[np.int64], target: int) -> list[int]:
    """The first key of each range; 0 is that of the first one."""
    import numpy as np

    order = np.argsort(marks, kind="stable")
    marks, ends = marks[order], np.cumsum(weights[order])
    changes = np.flatnonzero(np.diff((ends - 1) // target)) + 1
    starts: list[int] = np.unique(marks[changes]).tolist()
    return [0, *(start for start in starts if len(marks) and start > marks[0])]
