"""Supervoxels, or whole segments, from affinities to near and far voxels."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import (
    Labels,
    Mask,
    Prediction,
    channels_of,
    check_at_least,
    check_mask,
)
from teravox.kernels.segmentation.mutex import mutex_segments
from teravox.kernels.segmentation.step import takes

Offset = tuple[int, int, int]
NEXT: tuple[Offset, ...] = ((-1, 0, 0), (0, -1, 0), (0, 0, -1))


def _memory(*, offsets: tuple[Offset, ...], attractive: int, **_: object) -> float:
    return 24.0 + 4.0 * len(offsets) + 30.0 * max(1, len(offsets) - attractive)  # measured; bans are up to two thirds


@takes(_memory)
def supervoxels(
    prediction: Prediction,
    mask: Mask | None,
    *,
    offsets: Annotated[
        tuple[Offset, ...], "by channel: the way (z, y, x) from a voxel to the one that its value is the affinity to"
    ] = (*NEXT, (-4, 0, 0), (0, -9, 0), (0, 0, -9)),
    attractive: Annotated[
        int, "so many of the first channels join; the others keep apart what has little affinity"
    ] = 3,
    strides: Annotated[Offset, "use the channels that keep apart only at every so many voxels"] = (1, 1, 1),
    min_size: Annotated[int, "segments of fewer voxels get no label"] = 0,
) -> Labels:
    """Mutex watershed of affinities to near and far voxels, 1 for the same object: needs no threshold."""
    box = prediction.shape[:3]
    channels_of(prediction, len(offsets), "one for each of the offsets")
    check_mask(mask, box)
    check_at_least("min_size", min_size, 0)
    check_at_least("strides", min(strides), 1)
    if not 1 <= attractive <= len(offsets):
        raise ValueError(f"attractive is {attractive}, but must be from 1 to {len(offsets)}, the number of offsets")
    if prediction.size == 0:
        return np.zeros(box, np.uint32)
    return mutex_segments(
        np.ascontiguousarray(prediction), mask, np.array(offsets), attractive, np.array(strides), min_size
    )
