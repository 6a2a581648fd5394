"""What a generator returns, and what it asks of the box."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Vec = tuple[int, int, int]


class Drawn(NamedTuple):
    """A box of a volume; arrays of x, y, z in Fortran order."""

    image: NDArray[np.uint8]
    truth: NDArray[np.uint32]


def check_place(size: Vec, low: Vec, high: Vec) -> None:
    """Raise ValueError where a box is empty or not within a volume of that size."""
    if any(not 0 <= a < b <= n for a, b, n in zip(low, high, size, strict=True)):
        raise ValueError(f"the box from {low} to {high} is empty, or not within a volume of {size} voxels")


def new_image(low: Vec, high: Vec) -> NDArray[np.uint8]:
    """An array for a box, not yet filled."""
    return np.empty([b - a for a, b in zip(low, high, strict=True)], np.uint8, order="F")


@compiled
def voxels_along(first: float, last: float, low: int, length: int) -> tuple[int, int]:
    """Which voxels of a box lie between two places of an axis: the first of them, and the one after the last."""
    return max(low, int(first)), min(low + length, int(last) + 1)


@compiled
def places_along(step: float, reach: float, low: int, length: int) -> tuple[int, int]:
    """Which places of a lattice may reach into a box along an axis: the first of them, and the one after the last."""
    return int(max(0.0, (low - reach) / step)), int((low + length + reach) / step) + 1
