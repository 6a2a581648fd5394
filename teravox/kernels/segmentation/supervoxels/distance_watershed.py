"""Supervoxels around the places that are farthest from a boundary."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import (
    Labels,
    Mask,
    Prediction,
    boundary_of,
    check_above_0,
    check_at_least,
    check_mask,
    check_share,
    number_of,
)
from teravox.kernels.segmentation.distances import distances_inside
from teravox.kernels.segmentation.flood import flood, heights_of
from teravox.kernels.segmentation.maxima import number_tops
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sigmas
from teravox.kernels.segmentation.smoothing import in_slice, smooth
from teravox.kernels.segmentation.step import FOUND_IN_LAYER, leaves, takes


def _memory(**_: object) -> float:
    return 21.0  # measured, with a copy of one of several channels


@takes(_memory)
@leaves("threshold")
def supervoxels(
    prediction: Prediction,
    mask: Mask | None,
    *,
    boundary_channel: Annotated[int, "channel of the prediction that is high between objects"] = 0,
    threshold: Annotated[float | str, f"from this value up a voxel is boundary; {FOUND_IN_LAYER}"] = 0.5,
    sigma_seeds: Annotated[float, "blur of the distances before their tops become seeds, in the finest voxels"] = 2.0,
    sigma_weights: Annotated[float, "blur of the map that is flooded, in the finest voxels"] = 0.0,
    alpha: Annotated[float, "share of the boundary in the map that is flooded; the rest is nearness to it"] = 0.8,
    reach: Annotated[float, "distance to the boundary that counts as far, in the finest voxels"] = 16.0,
    min_size: Annotated[int, "supervoxels of fewer voxels are given to their neighbours"] = 100,
    highest: Annotated[float, "voxels with more boundary than this get no label"] = 1.0,
    per_slice: Annotated[bool, "segment each z alone"] = False,
    resolution: Zyx = ISOTROPIC,
) -> Labels:
    """Watershed from the places farthest from any boundary: also where membranes have holes."""
    boundary = boundary_of(prediction, boundary_channel)
    check_mask(mask, boundary.shape)
    least = number_of("threshold", threshold)
    check_share("threshold", least)
    check_share("alpha", alpha)
    check_share("highest", highest)
    check_at_least("sigma_seeds", sigma_seeds, 0)
    check_at_least("sigma_weights", sigma_weights, 0)
    check_at_least("min_size", min_size, 0)
    check_above_0("reach", reach)
    if boundary.size == 0:
        return np.zeros(boundary.shape, np.uint32)

    inside = boundary < np.float32(least)
    if mask is not None:
        inside &= mask
    distances = distances_inside(inside, reach, resolution, per_slice=per_slice)
    del inside
    blurred = smooth(distances.copy(), in_slice(sigmas(sigma_seeds, resolution), per_slice=per_slice))
    seeds = number_tops(blurred, per_slice=per_slice)
    del blurred

    distances *= np.float32(-1 / reach)  # in place: it becomes the map that is flooded
    distances += np.float32(1)
    np.maximum(distances, np.float32(0), out=distances)
    distances *= np.float32(1 - alpha)
    for z, plane in enumerate(boundary):  # a slice at a time, for want of a copy of the boundary
        distances[z] += np.float32(alpha) * plane
    heights = heights_of(smooth(distances, in_slice(sigmas(sigma_weights, resolution), per_slice=per_slice)))
    del distances
    if highest < 1:
        low = boundary <= np.float32(highest)
        mask = low if mask is None else np.logical_and(mask, low, out=low)
    return flood(heights, seeds, mask, min_size=min_size, per_slice=per_slice)
