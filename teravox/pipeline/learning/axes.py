"""The axes across which slices lie."""

from __future__ import annotations

from typing import Literal, get_args

Axis = Literal["x", "y", "z"]
AnyAxis = Literal["auto", "x", "y", "z"]  # auto: the shortest one

AXES: tuple[Axis, ...] = get_args(Axis)
