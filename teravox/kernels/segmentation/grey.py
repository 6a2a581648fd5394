"""Grey values as shares of a range: 0 at its low end, 1 at its high end, whatever type they are stored in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.checks import check_above_0

Grey = NDArray[Any]  # z, y and x, or z, y, x and channel, of any number
Shares = NDArray[np.float32]  # z, y and x


def shares(gray: Grey, channel: int, low: float | None, high: float | None) -> Shares:
    """One channel as shares of the range from `low` to `high`, in a new array; values beyond it are not cut off.

    The range is never the one found in the array: neighbouring boxes would disagree.
    """
    low, high = limits(gray.dtype, low, high)
    values = _channel(gray, channel)
    wide = np.float64 if values.dtype.itemsize > 2 else np.float32  # which has all numbers of 16 bits
    result = np.empty(values.shape, np.float32)
    for plane, into in zip(values, result, strict=True):
        np.multiply(plane.astype(wide) - wide(low), wide(1 / (high - low)), out=into, casting="unsafe")
    return result


def limits(dtype: np.dtype[Any], low: float | None, high: float | None) -> tuple[float, float]:
    """The ends of the range: as given, else those of a type of whole numbers."""
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        low, high = info.min if low is None else low, info.max if high is None else high
    if low is None or high is None:
        raise ValueError(f"{dtype} has no range of its own: give low and high, the grey values of black and white")
    if not low < high:
        raise ValueError(f"low is {low:g} and high is {high:g}, but low must be below high")
    return float(low), float(high)


def value_of_1(dtype: np.dtype[Any], scale: float | None) -> float:
    """The value of a layer that counts as 1; ValueError where `scale` cannot be one."""
    if scale is None:
        return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    check_above_0("scale", scale)
    return scale


def _channel(gray: Grey, channel: int) -> Grey:
    channels = gray.shape[3] if gray.ndim == 4 else 1
    if not 0 <= channel < channels:
        raise ValueError(f"there is no channel {channel}: the image has {channels} (numbered from 0)")
    return gray[..., channel] if gray.ndim == 4 else gray
