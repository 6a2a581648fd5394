"""Arrays of x, y and z as the flat memory that holds them, so that a part of a larger array is used where it lies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]  # uint32 or uint64
Words = NDArray[np.uint32]
Vec = tuple[int, int, int]


def has_rows(array: Labels) -> bool:
    """Whether voxels along x lie one after another, as both ways need it, and y and z are upwards in memory."""
    return array.strides[0] == array.itemsize and min(array.strides) > 0


def flatten(array: Labels) -> tuple[Labels, int, int]:
    """The memory from the first voxel to the last, and the steps between rows and between planes in it."""
    row, plane = array.strides[1] // array.itemsize, array.strides[2] // array.itemsize
    length = array.shape[0] + (array.shape[1] - 1) * row + (array.shape[2] - 1) * plane
    return np.lib.stride_tricks.as_strided(array, (length,), (array.itemsize,)), row, plane
