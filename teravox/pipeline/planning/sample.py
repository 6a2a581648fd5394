"""Which pieces stand for all of a job."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise


def choose_places(total: int, most: int) -> Sequence[int]:
    """All places, or one out of each of `most` stretches of equal length; always the same ones, and in order.

    Within a stretch the place is drawn, since pieces of a grid repeat at regular distances.
    """
    if total <= most:
        return range(total)
    draw = random.Random(total)  # noqa: S311 - chooses what to look at, keeps no secret
    ends = [at * total // most for at in range(most + 1)]
    return [draw.randrange(start, stop) for start, stop in pairwise(ends)]
