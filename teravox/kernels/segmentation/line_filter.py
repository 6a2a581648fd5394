"""What filters of lines have in common: the image is sharpened where that is wanted, and looked at at several scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np

from teravox.kernels.segmentation import unsharp
from teravox.kernels.segmentation.checks import Prediction, check_above_0, check_at_least
from teravox.kernels.segmentation.curvature import REACH, Floats
from teravox.kernels.segmentation.grey import Grey, limits, shares
from teravox.kernels.segmentation.scale import Zyx, sigmas
from teravox.kernels.segmentation.smoothing import reaches, smooth
from teravox.kernels.segmentation.step import Margin

Filter = Callable[[Floats, Zyx], Floats]  # of a smoothed image, and by how much it was smoothed
Scales = Annotated[tuple[float, ...], "more blurs, for other radii: the strongest response of all counts"]
Sharpen = Annotated[float, "unsharp mask before all else: how much of what a blur takes away is added; 0 none"]
SharpenSigma = Annotated[float, "that blur, in the finest voxels"]
SharpenThreshold = Annotated[float, "grey values that it must take away to be added"]


def margin(
    *, sigma: float, scales: tuple[float, ...], sharpen: float, sharpen_sigma: float, resolution: Zyx, **_: object
) -> Margin:
    """How far around a voxel is looked."""
    before = reaches(sigmas(sharpen_sigma if sharpen else 0.0, resolution))
    after = reaches(sigmas(max(sigma, *scales, 0.0), resolution))
    z, y, x = (a + b + REACH for a, b in zip(before, after, strict=True))
    return z, y, x


def memory(*, scales: tuple[float, ...], **_: object) -> float:
    """The bytes that it takes for each voxel, as measured."""
    return 13.0 if scales else 9.0


def find_lines(
    gray: Grey,
    filter: Filter,
    *,
    sigma: float,
    scales: tuple[float, ...],
    contrast: float,
    sharpen: float,
    sharpen_sigma: float,
    sharpen_threshold: float,
    objects: bool,
    low: float | None,
    high: float | None,
    channel: int,
    resolution: Zyx,
) -> Prediction:
    """The strongest response of a filter at any scale, as a prediction; ValueError says which parameter cannot be meant."""
    for name, least in (("sigma", sigma), *(("scales", scale) for scale in scales)):
        check_at_least(name, least, 0)
    check_at_least("sharpen", sharpen, 0)
    check_at_least("sharpen_sigma", sharpen_sigma, 0)
    check_at_least("sharpen_threshold", sharpen_threshold, 0)
    check_above_0("contrast", contrast)
    black, white = limits(gray.dtype, low, high)
    found: Floats | None = None
    for scale in (sigma, *scales):
        values = shares(gray, channel, low, high)
        if sharpen:
            unsharp.sharpen(values, sigmas(sharpen_sigma, resolution), sharpen, sharpen_threshold / (white - black))
        across = sigmas(scale, resolution)
        response = filter(smooth(values, across), across)
        del values
        found = response if found is None else np.maximum(found, response, out=found)
        del response
    assert found is not None, "there is always one scale"
    found *= np.float32(1 / contrast)
    np.clip(found, 0, 1, out=found)
    if objects:
        np.subtract(np.float32(1), found, out=found)
    return found[..., np.newaxis]
