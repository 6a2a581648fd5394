"""Membranes of electron micrographs, found without training."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction, check_above_0, check_at_least, check_share
from teravox.kernels.segmentation.curvature import REACH, sheets
from teravox.kernels.segmentation.grey import Grey, shares
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sigmas
from teravox.kernels.segmentation.smoothing import in_slice, reaches, smooth
from teravox.kernels.segmentation.step import Margin, looks_around, takes


def _margin(*, sigma: float, sigma_darkness: float, per_slice: bool, resolution: Zyx, **_: object) -> Margin:
    reach = reaches(in_slice(sigmas(max(sigma, sigma_darkness), resolution), per_slice=per_slice))
    return (reach[0] if per_slice else reach[0] + REACH, reach[1] + REACH, reach[2] + REACH)


def _memory(**_: object) -> float:
    return 9.0  # measured


@takes(_memory)
@looks_around(_margin)
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    sigma: Annotated[float, "blur at which membranes are sheets, about half their width, in the finest voxels"] = 1.2,
    contrast: Annotated[float, "curvature that is a membrane for sure, as a share of low to high"] = 0.06,
    slope: Annotated[
        float, "share of the gradient that is taken off the curvature, against edges of dark bodies"
    ] = 0.3,
    darkness: Annotated[float, "share of darkness in the evidence; the rest is the curvature of a dark sheet"] = 0.4,
    sigma_darkness: Annotated[float, "blur of the darkness, in the finest voxels"] = 0.5,
    low: Annotated[float | None, "grey value of black; without it the lowest of the data type"] = None,
    high: Annotated[float | None, "grey value of white; without it the highest of the data type"] = None,
    bright: Annotated[bool, "membranes are bright, as stained ones in light microscopy"] = False,
    per_slice: Annotated[bool, "look at each z alone, for sections that are thick or out of place"] = False,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Dark sheets: how dark a voxel is, and how much the grey bends as it does across a membrane."""
    check_share("darkness", darkness)
    check_at_least("slope", slope, 0)
    check_at_least("sigma", sigma, 0)
    check_at_least("sigma_darkness", sigma_darkness, 0)
    check_above_0("contrast", contrast)
    across = in_slice(sigmas(sigma, resolution), per_slice=per_slice)
    values = smooth(shares(gray, channel, low, high), across)
    evidence = sheets(values, across, dark=not bright, slope=slope)
    del values
    evidence *= np.float32(1 / contrast)
    np.clip(evidence, 0, 1, out=evidence)
    evidence *= np.float32(1 - darkness)
    if darkness:
        dark = smooth(
            shares(gray, channel, low, high), in_slice(sigmas(sigma_darkness, resolution), per_slice=per_slice)
        )
        if not bright:
            np.subtract(np.float32(1), dark, out=dark)
        np.clip(dark, 0, 1, out=dark)
        dark *= np.float32(darkness)
        evidence += dark
    return np.minimum(evidence, np.float32(1), out=evidence)[..., np.newaxis]
