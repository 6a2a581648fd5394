"""Fibres, vessels and neurites, as tubes."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction, check_at_least
from teravox.kernels.segmentation.curvature import REACH, tubes
from teravox.kernels.segmentation.grey import Grey, shares
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sigmas
from teravox.kernels.segmentation.smoothing import reaches, smooth
from teravox.kernels.segmentation.step import Margin, looks_around, takes


def _margin(*, sigma: float, resolution: Zyx, **_: object) -> Margin:
    z, y, x = reaches(sigmas(sigma, resolution))
    return (z + REACH, y + REACH, x + REACH)


def _memory(**_: object) -> float:
    return 9.0  # measured


@takes(_memory)
@looks_around(_margin)
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    sigma: Annotated[float, "blur, about two thirds of the radius of the tubes, in the finest voxels"] = 3.0,
    contrast: Annotated[float, "response that becomes 1, as a share of low to high"] = 0.2,
    dark: Annotated[bool, "the tubes are dark, else bright"] = False,
    objects: Annotated[bool, "the tubes are objects, low in the prediction, else boundary, high"] = True,
    low: Annotated[float | None, "grey value of black; without it the lowest of the data type"] = None,
    high: Annotated[float | None, "grey value of white; without it the highest of the data type"] = None,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Tubes by Sato's line filter: fibres, vessels, neurites."""
    check_at_least("sigma", sigma, 0)
    if not contrast > 0:
        raise ValueError(f"contrast is {contrast:g}, but must be above 0")
    across = sigmas(sigma, resolution)
    found = tubes(smooth(shares(gray, channel, low, high), across), across, dark=dark)
    found *= np.float32(1 / contrast)
    np.clip(found, 0, 1, out=found)
    if objects:
        np.subtract(np.float32(1), found, out=found)
    return found[..., np.newaxis]
