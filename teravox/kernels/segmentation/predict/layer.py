"""Predictions that another program has made, kept in a layer of their own."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.grey import value_of_1
from teravox.kernels.segmentation.step import takes

Voxels = NDArray[Any]  # of the layer's data type
Prediction = NDArray[np.float32]


def _memory(*, channels: tuple[int, ...], **_: object) -> float:
    return 4.0 * max(1, len(channels))


@takes(_memory)
def predict(
    voxels: Voxels,
    mask: NDArray[np.bool_] | None,  # noqa: ARG001 - as every step
    *,
    path: Annotated[str | None, "Layer of probabilities or affinities. Default: SOURCE itself."] = None,  # noqa: ARG001 - it was read by whoever calls
    mip: Annotated[int | None, "Its level. Default: the one with the voxel size of SOURCE."] = None,  # noqa: ARG001 - as path
    channels: Annotated[tuple[int, ...], "Which of its channels, counted from 0. Default: all."] = (),
    scale: Annotated[
        float | None, "What counts as 1. Default: 1 for fractions, the largest number of the type for whole numbers."
    ] = None,
    invert: Annotated[bool, "Take 1 minus each value, for layers that are high inside of bodies."] = False,
) -> Prediction:
    """Probabilities or affinities from a layer, made by another program.

    It is given the voxels of that layer in place of the image's.
    """
    if voxels.ndim == 3:
        voxels = voxels[..., np.newaxis]
    if channels:
        voxels = voxels[..., list(channels)]
    found = np.divide(voxels, np.float32(value_of_1(voxels.dtype, scale)), dtype=np.float32, order="C")
    return np.subtract(np.float32(1), found, out=found) if invert else found
