"""What there is to know of the components of a piece, from one look at its voxels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Components = NDArray[np.uint32]
Numbers = NDArray[Any]  # unsigned whole numbers in x, y and z


class Bodies(NamedTuple):
    """By component; the first one is background."""

    voxels: NDArray[np.int64]
    low: NDArray[np.int32]  # (count, 3): its box, both corners included
    high: NDArray[np.int32]
    number: NDArray[np.int64]  # which number its voxels have


def find_bodies(components: Components, count: int, numbers: Numbers) -> Bodies:
    """The size, the box and the number of each of `count` components."""
    found = Bodies(
        np.zeros(count + 1, np.int64),
        np.full((count + 1, 3), np.iinfo(np.int32).max, np.int32),
        np.full((count + 1, 3), -1, np.int32),
        np.zeros(count + 1, np.int64),
    )
    _look(components, numbers, *found)
    return found


@compiled
def _look(  # pragma: no cover - compiled
    components: Components,
    numbers: Numbers,
    voxels: NDArray[np.int64],
    low: NDArray[np.int32],
    high: NDArray[np.int32],
    number: NDArray[np.int64],
) -> None:
    nx, ny, nz = components.shape
    for z in range(nz):
        for y in range(ny):
            x = 0
            while x < nx:
                here = components[x, y, z]
                start = x
                while x < nx and components[x, y, z] == here:
                    x += 1
                if here != 0:
                    voxels[here] += x - start
                    low[here, 0] = min(low[here, 0], start)
                    high[here, 0] = max(high[here, 0], x - 1)
                    low[here, 1] = min(low[here, 1], y)
                    high[here, 1] = max(high[here, 1], y)
                    low[here, 2] = min(low[here, 2], z)
                    high[here, 2] = max(high[here, 2], z)
                    number[here] = numbers[start, y, z]
