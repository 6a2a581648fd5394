"""What is brighter than a grey value, or than its surroundings."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction, check_at_least, number_of
from teravox.kernels.segmentation.grey import Grey, shares
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sigmas
from teravox.kernels.segmentation.smoothing import reaches, smooth
from teravox.kernels.segmentation.step import FOUND, Margin, leaves, looks_around, takes


def _margin(*, sigma: float, background: float, resolution: Zyx, **_: object) -> Margin:
    return reaches(sigmas(max(sigma, background), resolution))


def _memory(*, background: float, **_: object) -> float:
    return 9.0 if background else 5.0  # measured


@takes(_memory)
@looks_around(_margin)
@leaves("threshold", unless="background")
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    threshold: Annotated[
        float | str, f"grey value that becomes 0.5; with a background how far above it. Without one, {FOUND}"
    ],
    width: Annotated[float, "grey values around the threshold over which 0 rises to 1; 0 is a step"] = 0.0,
    bright: Annotated[bool, "what is looked for is brighter than the threshold, else darker"] = True,
    objects: Annotated[bool, "what is looked for is objects, low in the prediction, else boundary, high"] = True,
    sigma: Annotated[float, "blur of the image, in the finest voxels"] = 0.0,
    background: Annotated[
        float, "blur that makes the surroundings of a voxel, which are taken off; 0 takes none"
    ] = 0.0,
    channel: Annotated[int, "channel of the image"] = 0,
    resolution: Zyx = ISOTROPIC,
) -> Prediction:
    """Brighter (or darker) than a grey value, or than the surroundings by so much."""
    middle = number_of("threshold", threshold)
    check_at_least("width", width, 0)
    check_at_least("sigma", sigma, 0)
    if background:
        check_at_least("background", background, sigma)
    values = shares(gray, channel, 0, 1)
    around = smooth(values.copy(), sigmas(background, resolution)) if background else None
    smooth(values, sigmas(sigma, resolution))
    if around is not None:
        values -= around
    del around
    high_where_bright = bright != objects
    if width == 0:
        values[...] = values >= middle if high_where_bright else values < middle
    else:
        values -= np.float32(middle)
        values *= np.float32((1 if high_where_bright else -1) / width)
        values += np.float32(0.5)
        np.clip(values, 0, 1, out=values)
    return values[..., np.newaxis]
