"""Fibres, vessels and neurites, by the form of what is around a voxel more than by its contrast."""

from __future__ import annotations

from typing import Annotated

from teravox.kernels.segmentation.checks import Mask, Prediction, check_above_0
from teravox.kernels.segmentation.curvature import ALPHA, BETA, Floats, vessels
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
    sigma: Annotated[float, "blur, about two thirds of the radius of the vessels, in the finest voxels"] = 3.0,
    scales: Scales = (),
    alpha: Annotated[float, "larger ones suppress plates"] = ALPHA,
    beta: Annotated[float, "smaller ones suppress blobs and the ends of vessels"] = BETA,
    gamma: Annotated[float, "curvature, as a share of low to high, below which all is noise"] = 0.1,
    contrast: Annotated[float, "response that becomes 1"] = 1.0,
    sharpen: Sharpen = 0.0,
    sharpen_sigma: SharpenSigma = 2.0,
    sharpen_threshold: SharpenThreshold = 0.0,
    dark: Annotated[bool, "the vessels are dark, else bright"] = False,
    objects: Annotated[bool, "the vessels are objects, low in the prediction, else boundary, high"] = True,
    low: Annotated[float | None, "grey value of black; without it the lowest of the data type"] = None,
    high: Annotated[float | None, "grey value of white; without it the highest of the data type"] = None,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Tubes by Frangi's filter: vessels, fibres and neurites of any contrast."""
    for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        check_above_0(name, value)

    def filter(smoothed: Floats, across: Zyx) -> Floats:
        return vessels(smoothed, across, dark=dark, alpha=alpha, beta=beta, gamma=gamma)

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
