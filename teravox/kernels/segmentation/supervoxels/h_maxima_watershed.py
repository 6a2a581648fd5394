"""Balls, grains and cells that touch, told apart where they are thin between them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.basins import number_hills
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
from teravox.kernels.segmentation.distances import distances_inside
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sides
from teravox.kernels.segmentation.step import FOUND_IN_LAYER, leaves, takes


def _memory(**_: object) -> float:
    return 16.0  # measured on noise, with a copy of one of several channels


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
    h: Annotated[float, "how much thinner a neck must be than both things that it joins, in the finest voxels"] = 0.5,
    relative: Annotated[
        float, "the same as a share of the radius of the smaller thing; of both, what is more counts"
    ] = 0.1,
    min_radius: Annotated[float, "things that are nowhere so thick get no label, in the finest voxels"] = 0.0,
    resolution: Zyx = ISOTROPIC,
) -> Labels:
    """Watershed of the distances to the boundary, from their h-maxima: for balls, grains and cells that touch.

    A voxel belongs to the place of greatest distance that one comes to by the steepest way. So a thing gets the same
    voxels in each block that has all of it, and the count of a whole volume does not depend on the blocks.
    """
    boundary = boundary_of(prediction, boundary_channel)
    check_mask(mask, boundary.shape)
    least = number_of("threshold", threshold)
    check_share("threshold", least)
    check_at_least("h", h, 0)
    check_share("relative", relative)
    check_at_least("min_radius", min_radius, 0)
    if boundary.size == 0:
        return np.zeros(boundary.shape, np.uint32)
    inside = boundary < np.float32(least)
    if mask is not None:
        inside &= mask
    distances = distances_inside(inside, 1.0, resolution)
    del inside
    return number_hills(distances, sides(resolution), rise=h, share=relative, least=min_radius)
