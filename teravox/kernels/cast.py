"""Copies values into an array of another data type, and never changes them on the way more than rounding does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # numbers


def cast_into(out: Array, values: Array) -> None:
    """Fill `out`, which has the same shape; ValueError if a value does not fit its data type.

    Fractions are rounded to the nearest whole number where `out` holds whole numbers.
    """
    if np.can_cast(values.dtype, out.dtype, "safe") or not values.size:
        out[...] = values
        return
    if out.dtype.kind == "f":
        _check_floats(values, out.dtype)
        out[...] = values
        return
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError(f"values that are not finite do not fit {out.dtype}")
        low, high = np.rint(low), np.rint(high)
    limits = np.iinfo(out.dtype)
    for value in (int(low), int(high)):
        if not limits.min <= value <= limits.max:
            raise ValueError(f"the value {value} does not fit {out.dtype}")
    out[...] = np.rint(values) if values.dtype.kind == "f" else values


def _check_floats(values: Array, to: np.dtype[Any]) -> None:
    if values.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore"):
        finite = values[np.isfinite(values)]
    most = float(np.abs(finite).max(initial=0))
    if most > float(np.finfo(to).max):
        raise ValueError(f"the value {most:g} does not fit {to}")
