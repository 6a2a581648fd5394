"""A chunk as one picture, whose rows are those of all planes, one below the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # uint8
Shape = tuple[int, int, int, int]


def lay_out(voxels: Array) -> Array:
    """The picture of a chunk: rows, columns and channels."""
    x, y, z, channels = voxels.shape
    return voxels.transpose(2, 1, 0, 3).reshape(y * z, x, channels)


def take_apart(picture: Array, shape: Shape) -> Array:
    """The voxels of a picture, whose channels lie voxel by voxel in it."""
    if picture.size != math.prod(shape):
        raise ValueError(f"it has {picture.size:,} voxels where {math.prod(shape):,} are expected")
    together = picture.reshape(-1).reshape((shape[3], *shape[:3]), order="F")
    return np.moveaxis(together, 0, 3)


def check_size(width: int, height: int, shape: Shape) -> None:
    """Before memory is taken for it: a picture may say that it is of any size."""
    if width * height != math.prod(shape[:3]):
        raise ValueError(
            f"it is a picture of {width:,} x {height:,} where {math.prod(shape[:3]):,} voxels are expected"
        )
