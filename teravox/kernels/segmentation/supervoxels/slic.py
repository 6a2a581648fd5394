"""Supervoxels of like values, all of about the same size."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import (
    Labels,
    Mask,
    Prediction,
    channels_of,
    check_above_0,
    check_at_least,
    check_mask,
)
from teravox.kernels.segmentation.clusters import find_clusters
from teravox.kernels.segmentation.results import renumber
from teravox.kernels.segmentation.scale import ISOTROPIC, Zyx, sides
from teravox.kernels.segmentation.step import takes


def _memory(**_: object) -> float:
    return 40.0  # measured: 21, and 4 for each channel


@takes(_memory)
def supervoxels(
    prediction: Prediction,
    mask: Mask | None,
    *,
    size: Annotated[int, "voxels of a supervoxel, about"] = 2500,
    compactness: Annotated[float, "how much nearness counts against likeness; 1 makes nearly cubes"] = 0.4,
    iterations: Annotated[int, "rounds of moving the centres"] = 10,
    resolution: Zyx = ISOTROPIC,
) -> Labels:
    """SLIC: near voxels with like values in all channels, for classifiers."""
    check_at_least("size", size, 1)
    check_at_least("iterations", iterations, 1)
    check_above_0("compactness", compactness)
    channels_of(prediction, prediction.shape[-1], "all of them")
    box = prediction.shape[:3]
    check_mask(mask, box)
    if prediction.size == 0:
        return np.zeros(box, np.uint32)
    labels = find_clusters(
        np.moveaxis(prediction, 3, 0),
        sides(resolution),
        size=size,
        compactness=compactness,
        iterations=iterations,
    )
    if mask is None:
        return labels
    labels[~mask] = 0
    return renumber(labels)[0]
