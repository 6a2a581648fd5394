"""Thin walls of any kind: the largest curvature of the grey."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction, check_above_0, check_at_least
from teravox.kernels.segmentation.curvature import REACH, sheets
from teravox.kernels.segmentation.grey import Grey, shares
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sigmas
from teravox.kernels.segmentation.smoothing import in_slice, reaches, smooth
from teravox.kernels.segmentation.step import Margin, looks_around, takes


def _margin(*, sigma: float, per_slice: bool, resolution: Zyx, **_: object) -> Margin:
    z, y, x = reaches(in_slice(sigmas(sigma, resolution), per_slice=per_slice))
    return (z if per_slice else z + REACH, y + REACH, x + REACH)


def _memory(**_: object) -> float:
    return 9.0  # measured


@takes(_memory)
@looks_around(_margin)
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    sigma: Annotated[float, "blur, about half the width of the sheets, in the finest voxels"] = 2.0,
    contrast: Annotated[float, "curvature that becomes 1, as a share of low to high"] = 0.1,
    slope: Annotated[
        float, "share of the gradient that is taken off the curvature, against edges of large bodies"
    ] = 0.0,
    bright: Annotated[bool, "the sheets are bright, else dark"] = False,
    objects: Annotated[bool, "the sheets are objects, low in the prediction, else boundary, high"] = False,
    low: Annotated[float | None, "grey value of black; without it the lowest of the data type"] = None,
    high: Annotated[float | None, "grey value of white; without it the highest of the data type"] = None,
    per_slice: Annotated[bool, "look at each z alone: lines in slices"] = False,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Sheets by the Hessian: walls, cracks, membranes."""
    check_at_least("slope", slope, 0)
    check_at_least("sigma", sigma, 0)
    check_above_0("contrast", contrast)
    across = in_slice(sigmas(sigma, resolution), per_slice=per_slice)
    found = sheets(smooth(shares(gray, channel, low, high), across), across, dark=not bright, slope=slope)
    found *= np.float32(1 / contrast)
    np.clip(found, 0, 1, out=found)
    if objects:
        np.subtract(np.float32(1), found, out=found)
    return found[..., np.newaxis]
