"""Fibres, vessels and neurites, as tubes."""

from __future__ import annotations

from typing import Annotated

from teravox.kernels.segmentation.checks import Mask, Prediction, check_above_0
from teravox.kernels.segmentation.curvature import ALPHA_1, ALPHA_2, Floats, tubes
from teravox.kernels.segmentation.grey import Grey
from teravox.kernels.segmentation.line_filter import (
    Scales,
    Sharpen,
    SharpenSigma,
    SharpenThreshold,
    find_lines,
    margin,
    memory,
)
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx
from teravox.kernels.segmentation.step import looks_around, takes


@takes(memory)
@looks_around(margin)
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    sigma: Annotated[float, "blur, about two thirds of the radius of the tubes, in the finest voxels"] = 3.0,
    scales: Scales = (),
    contrast: Annotated[float, "response that becomes 1, as a share of low to high"] = 0.2,
    alpha1: Annotated[float, "smaller ones suppress blobs and the ends of tubes"] = ALPHA_1,
    alpha2: Annotated[float, "smaller ones suppress crossings and gaps of tubes"] = ALPHA_2,
    sharpen: Sharpen = 0.0,
    sharpen_sigma: SharpenSigma = 2.0,
    sharpen_threshold: SharpenThreshold = 0.0,
    dark: Annotated[bool, "the tubes are dark, else bright"] = False,
    objects: Annotated[bool, "the tubes are objects, low in the prediction, else boundary, high"] = True,
    low: Annotated[float | None, "grey value of black; without it the lowest of the data type"] = None,
    high: Annotated[float | None, "grey value of white; without it the highest of the data type"] = None,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Tubes by Sato's line filter: fibres, vessels, neurites."""
    check_above_0("alpha1", alpha1)
    check_above_0("alpha2", alpha2)

    def filter(smoothed: Floats, across: Zyx) -> Floats:
        return tubes(smoothed, across, dark=dark, alpha1=alpha1, alpha2=alpha2)

    return find_lines(
        gray,
        filter,
        sigma=sigma,
        scales=scales,
        contrast=contrast,
        sharpen=sharpen,
        sharpen_sigma=sharpen_sigma,
        sharpen_threshold=sharpen_threshold,
        objects=objects,
        low=low,
        high=high,
        channel=channel,
        resolution=resolution,
    )
