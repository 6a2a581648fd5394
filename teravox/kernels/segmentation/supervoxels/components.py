"""Supervoxels that are the connected pieces of what is no boundary."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from teravox.kernels.segmentation.checks import (
    Labels,
    Mask,
    Prediction,
    boundary_of,
    check_at_least,
    check_mask,
    check_share,
    number_of,
)
from teravox.kernels.segmentation.parts import number_parts
from teravox.kernels.segmentation.step import FOUND_IN_LAYER, leaves, takes


def _memory(**_: object) -> float:
    return 18.0  # measured on noise; pieces that are larger take half


@takes(_memory)
@leaves("threshold")
def supervoxels(
    prediction: Prediction,
    mask: Mask | None,
    *,
    boundary_channel: Annotated[int, "channel of the prediction that is high between objects"] = 0,
    threshold: Annotated[
        float | str, f"from this value up a voxel is boundary, and gets no label; {FOUND_IN_LAYER}"
    ] = 0.5,
    connectivity: Annotated[Literal[6, 18, 26], "voxels that share a face; or an edge; or a corner"] = 26,
    min_size: Annotated[int, "pieces of fewer voxels get no label"] = 0,
    per_slice: Annotated[bool, "label each z alone"] = False,
) -> Labels:
    """Connected pieces below a threshold: for objects that do not touch, and class maps."""
    boundary = boundary_of(prediction, boundary_channel)
    check_mask(mask, boundary.shape)
    least = number_of("threshold", threshold)
    check_share("threshold", least)
    check_at_least("min_size", min_size, 0)
    low = boundary < np.float32(least)
    if mask is not None:
        low &= mask
    return number_parts(low, connectivity=connectivity, min_size=min_size, per_slice=per_slice)
