"""Stretches the contrast of slices by tables: what every value becomes; knows nothing of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.histogram import by_slice, values_of

Array = NDArray[Any]  # of 8 or 16 bits without sign
Limits = tuple[float, float]  # the values that become the least and the most


def find_limits(counts: NDArray[np.uint64], clip_low: float, clip_high: float) -> Limits | None:
    """Of all counted voxels in order, the first and the last that are left when these fractions are cut off.

    None where nothing was counted, or where both are the same value: then there is nothing to stretch.
    """
    order = np.cumsum(counts)
    total = int(order[-1])
    first, last = int(total * clip_low), total - 1 - int(total * clip_high)
    if first >= last:
        return None
    low, high = np.searchsorted(order, [first, last], side="right").tolist()
    return None if low == high else (low, high)


def smooth_limits(limits: dict[int, Limits | None], z: int, reach: int) -> Limits | None:
    """The mean of a slice's limits and of those up to `reach` slices above and below it, where these have any."""
    near = [found for at in range(z - reach, z + reach + 1) if (found := limits.get(at)) is not None]
    if not near:
        return None
    return sum(low for low, _ in near) / len(near), sum(high for _, high in near) / len(near)


def make_table(limits: Limits | None, least: int, most: int, source: np.dtype[Any], dest: np.dtype[Any]) -> Array:
    """What every value becomes: `limits` become `least` and `most`, what lies between them is spread evenly.

    Without limits values stay what they are, or the same part of what another data type can hold.
    """
    values = np.arange(values_of(source), dtype=np.float64)
    if limits is None:
        return np.rint(values * ((values_of(dest) - 1) / (values_of(source) - 1))).astype(dest)
    low, high = limits
    spread = (values - low) * ((most - least) / (high - low)) + least
    return np.rint(spread).clip(least, most).astype(dest)


def look_up(voxels: Array, tables: Array) -> Array:
    """The voxels of x, y, z and channel as the table of their slice and channel says, in Fortran order."""
    if tables.shape != (*voxels.shape[2:], values_of(voxels.dtype)):
        raise ValueError(f"tables of {tables.shape} are not for {voxels.dtype} voxels of {voxels.shape}")
    rows = by_slice(voxels)
    result = np.empty(rows.shape, tables.dtype)
    _look_up(rows, tables, result)
    return result.T.reshape(voxels.shape, order="F")


@compiled
def _look_up(rows: Array, tables: Array, result: Array) -> None:
    channels, slices, length = rows.shape
    for channel in range(channels):
        for z in range(slices):
            row = rows[channel, z]
            table = tables[z, channel]
            into = result[channel, z]
            for at in range(length):
                into[at] = table[row[at]]
