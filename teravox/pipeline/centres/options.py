"""The options that finding centres and comparing them share."""

from __future__ import annotations

from typing import Annotated, Literal

from teravox.pipeline.options import says

Axis = Literal["x", "y", "z"]

SliceAxis = Annotated[Axis, says("Axis that the slices lie across.")]


def plane_of(axis: Axis) -> tuple[int, int]:
    """The axes of the columns and of the rows of slices across an axis."""
    column, row = (at for at in range(3) if at != "xyz".index(axis))
    return column, row
