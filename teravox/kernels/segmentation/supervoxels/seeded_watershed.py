"""Supervoxels around the places where there is next to no boundary, as Plaza and Berg's pipeline makes them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import (
    Labels,
    Mask,
    Prediction,
    boundary_of,
    check_at_least,
    check_mask,
    check_share,
)
from teravox.kernels.segmentation.flood import OUTSIDE, flood, heights_of
from teravox.kernels.segmentation.parts import number_parts
from teravox.kernels.segmentation.results import renumber
from teravox.kernels.segmentation.step import takes


def _memory(**_: object) -> float:
    return 21.0  # measured, with a copy of one of several channels


@takes(_memory)
def supervoxels(
    prediction: Prediction,
    mask: Mask | None,
    *,
    boundary_channel: Annotated[int, "channel of the prediction that is high between objects"] = 0,
    seed_threshold: Annotated[float, "up to this value a voxel belongs to a seed"] = 0.2,
    seed_size: Annotated[int, "seeds of fewer voxels are left out"] = 5,
    min_segment_size: Annotated[int, "supervoxels of fewer voxels are given to their neighbours"] = 0,
) -> Labels:
    """Watershed from pieces with next to no boundary, as in DVID's pipeline: for sharp, closed membranes."""
    boundary = boundary_of(prediction, boundary_channel)
    check_mask(mask, boundary.shape)
    check_share("seed_threshold", seed_threshold)
    check_at_least("seed_size", seed_size, 0)
    check_at_least("min_segment_size", min_segment_size, 0)

    low = boundary <= np.float32(seed_threshold)
    if mask is not None:
        low &= mask
    seeds = number_parts(low, connectivity=6, min_size=seed_size)
    del low
    heights = heights_of(boundary)
    if mask is not None:
        heights[~mask] = OUTSIDE  # is flooded last, and what is flooded from there too
    labels = flood(heights, seeds, min_size=min_segment_size)
    if mask is None:
        return labels
    labels[~mask] = 0
    return renumber(labels)[0]
