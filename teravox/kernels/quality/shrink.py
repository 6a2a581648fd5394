"""Small pictures of large grids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shrink(values: NDArray[np.floating[Any]], most: int) -> NDArray[np.float64]:
    """Means of equal blocks, so few that each axis has at most so many."""
    shrunk = values.astype(np.float64)
    for axis in range(values.ndim):
        step = -(-values.shape[axis] // most)
        starts = np.arange(0, values.shape[axis], step)
        widths = np.diff(np.append(starts, values.shape[axis]))
        shape = [1] * values.ndim
        shape[axis] = len(widths)
        shrunk = np.add.reduceat(shrunk, starts, axis=axis) / widths.reshape(shape)
    return shrunk
