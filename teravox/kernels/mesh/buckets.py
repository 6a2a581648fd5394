"""A queue of numbers by cost, in buckets an eighth of a doubling wide, first in first out.

`ends` has the first and the last number in each bucket. `line` has for each number its bucket and who is before and after
it, NONE where there is none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Ends = NDArray[np.int32]
Line = NDArray[np.int32]

NONE = -1
BUCKETS = 1024
LEAST = -16  # the power of two below which all costs are the same
FIRST, LAST = 0, 1
BUCKET, BEFORE, AFTER = 0, 1, 2


@compiled
def make_buckets(numbers: int) -> tuple[Ends, Line]:
    """An empty queue for so many numbers."""
    return np.full((BUCKETS, 2), NONE, np.int32), np.full((numbers, 3), NONE, np.int32)


@compiled
def bucket_of(cost: float) -> int:
    """The bucket of a cost that is not negative."""
    fraction, power = math.frexp(cost)
    if cost == 0 or power < LEAST:
        return 0
    return min((power - LEAST) * 8 + int(fraction * 16) - 8, BUCKETS - 1)


@compiled
def put(ends: Ends, line: Line, number: int, bucket: int) -> None:
    """Add a number that is not in the queue."""
    last = ends[bucket, LAST]
    line[number, BUCKET], line[number, BEFORE], line[number, AFTER] = bucket, last, NONE
    ends[bucket, LAST] = number
    if last == NONE:
        ends[bucket, FIRST] = number
    else:
        line[last, AFTER] = number


@compiled
def take(ends: Ends, line: Line, number: int) -> None:
    """Remove a number that is in the queue."""
    bucket, before, after = line[number, BUCKET], line[number, BEFORE], line[number, AFTER]
    line[number, BUCKET] = NONE
    if before == NONE:
        ends[bucket, FIRST] = after
    else:
        line[before, AFTER] = after
    if after == NONE:
        ends[bucket, LAST] = before
    else:
        line[after, BEFORE] = before
