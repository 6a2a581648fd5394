"""Beads, grains, pores and cells of X-ray tomography: denoised, cut by a threshold, and cleaned."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction, check_at_least, number_of
from teravox.kernels.segmentation.grey import Grey, Shares, shares
from teravox.kernels.segmentation.morphology import MOST_RADIUS, across, fill_holes, open_by_ball, take_majority
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sigmas
from teravox.kernels.segmentation.smoothing import reaches, smooth
from teravox.kernels.segmentation.step import FOUND, Margin, leaves, looks_around, takes
from teravox.kernels.segmentation.unsharp import sharpen

Denoise = Literal["median", "gaussian", "unsharp", "none"]


def _margin(*, denoise: Denoise, radius: float, opening: float, holes: float, resolution: Zyx, **_: object) -> Margin:
    looks = {
        "median": across(radius, resolution),
        "gaussian": reaches(sigmas(radius, resolution)),
        "unsharp": reaches(sigmas(radius, resolution)),
        "none": (0, 0, 0),
    }[denoise]
    ball, wide = across(2 * opening + 1, resolution) if opening else (0, 0, 0), across(holes, resolution)
    z, y, x = (sum(parts) for parts in zip(looks, ball, wide, strict=True))
    return z, y, x


def _memory(*, denoise: Denoise, opening: float, holes: float, **_: object) -> float:
    return max(6.0, 9.0 if denoise == "unsharp" else 0.0, 10.5 if opening else 0.0, 7.0 if holes else 0.0)  # measured


@takes(_memory)
@looks_around(_margin)
@leaves("threshold")
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    threshold: Annotated[
        float | str,
        f"grey value from which a voxel is bright; {FOUND}",
    ] = "otsu",
    bright: Annotated[bool, "the things are brighter than the threshold, else darker"] = True,
    denoise: Annotated[Denoise, "median and gaussian take noise away, unsharp makes edges steeper"] = "median",
    radius: Annotated[
        float, "of what is looked at to denoise: of the median's box, or the sigma of the blur, in the finest voxels"
    ] = 1.0,
    amount: Annotated[float, "how much unsharp adds of what the blur takes away"] = 1.0,
    opening: Annotated[
        float, "radius of the ball that must fit into a thing, in the finest voxels; 0 cleans nothing"
    ] = 0.0,
    holes: Annotated[float, "holes that are at most so wide are filled, in the finest voxels"] = 0.0,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Beads, grains, pores and cells: denoised, cut by a threshold, and cleaned.

    They are 0, and all between them is 1. The threshold may be found in the whole image, so that it is the same in all
    blocks: count its grey values first, with teravox image contrast histogram.
    """
    least = number_of("threshold", threshold)
    for name, value in (("radius", radius), ("amount", amount), ("opening", opening), ("holes", holes)):
        check_at_least(name, value, 0)
    if denoise == "median" and max(across(radius, resolution)) > MOST_RADIUS:
        raise ValueError(f"radius is {radius:g}, but must be at most {MOST_RADIUS} for a median")
    values = _denoised(gray, channel, denoise, radius, amount, resolution)
    found = values >= np.float32(least)
    del values
    if not bright:
        np.logical_not(found, out=found)
    if denoise == "median":
        found = take_majority(found, across(radius, resolution))
    if opening:
        found = open_by_ball(found, opening, resolution)
    if holes:
        found = fill_holes(found, across(holes, resolution))
    return (~found).astype(np.float32)[..., np.newaxis]


def _denoised(gray: Grey, channel: int, denoise: Denoise, radius: float, amount: float, resolution: Zyx) -> Shares:
    """The grey values; a median is taken of what the threshold has cut, which comes to the same."""
    values = shares(gray, channel, 0, 1)
    if denoise == "gaussian":
        smooth(values, sigmas(radius, resolution))
    elif denoise == "unsharp":
        sharpen(values, sigmas(radius, resolution), amount)
    return values
