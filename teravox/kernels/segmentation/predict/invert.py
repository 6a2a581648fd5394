"""Darkness as the evidence of membranes."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction
from teravox.kernels.segmentation.grey import Grey, shares
from teravox.kernels.segmentation.step import takes


def _memory(**_: object) -> float:
    return 5.0  # measured


@takes(_memory)
def predict(
    gray: Grey,
    mask: Mask | None,  # noqa: ARG001 - what lies outside is predicted as well, and not used
    *,
    channel: Annotated[int, "channel of the image"] = 0,
    low: Annotated[float | None, "grey value that becomes 1; without it the lowest of the data type"] = None,
    high: Annotated[float | None, "grey value that becomes 0; without it the highest of the data type"] = None,
) -> Prediction:
    """The image turned over: black becomes 1, white 0."""
    result = shares(gray, channel, low, high)
    np.subtract(np.float32(1), result, out=result)
    return np.clip(result, 0, 1, out=result)[..., np.newaxis]
