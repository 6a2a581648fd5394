"""Counts how often each value occurs in each slice; knows nothing of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Array = NDArray[Any]  # of 8 or 16 bits without sign
Counts = NDArray[np.uint64]  # by slice, channel and value


def no_counts(slices: int, channels: int, dtype: np.dtype[Any]) -> Counts:
    """Counts to begin with."""
    return np.zeros((slices, channels, values_of(dtype)), np.uint64)


def values_of(dtype: np.dtype[Any]) -> int:
    """How many values a data type has."""
    return 1 << 8 * dtype.itemsize


def count_values(voxels: Array, counts: Counts) -> None:
    """Add the voxels of x, y, z and channel to the counts of their slices."""
    if counts.shape != (*voxels.shape[2:], values_of(voxels.dtype)):
        raise ValueError(f"counts of {counts.shape} are not for {voxels.dtype} voxels of {voxels.shape}")
    _count(by_slice(voxels), counts)


def by_slice(voxels: Array) -> Array:
    """The voxels of x, y, z and channel as rows: channel, z, and what lies in the slice, x fastest; to be read only."""
    _, _, slices, channels = voxels.shape
    rows = np.asfortranarray(voxels).reshape((-1, slices, channels), order="F").T
    rows.flags.writeable = False  # so that one compiled function serves all arrays
    return rows


@compiled
def _count(rows: Array, counts: Counts) -> None:
    channels, slices, length = rows.shape
    for channel in range(channels):
        for z in range(slices):
            row = rows[channel, z]
            mine = counts[z, channel]
            for at in range(length):
                mine[row[at]] += np.uint64(1)
