"""What steps are given, looked at before it is used: wrong arrays end in a sentence, not in wrong labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Prediction = NDArray[np.float32]  # z, y, x and channel, 0 to 1
Boundary = NDArray[np.float32]  # z, y and x: one channel of a prediction, high between objects
Labels = NDArray[np.uint32]  # z, y and x, 0 for nothing
Mask = NDArray[np.bool_]  # z, y and x, where there may be labels


def boundary_of(prediction: Prediction, channel: int) -> Boundary:
    """One channel of a prediction, contiguous, its values checked."""
    _check_prediction(prediction)
    channels = prediction.shape[3]
    if not 0 <= channel < channels:
        raise ValueError(f"there is no channel {channel}: the prediction has {channels} (numbered from 0)")
    boundary = np.ascontiguousarray(prediction[..., channel])
    _check_values(boundary)
    return boundary


def affinities_of(prediction: Prediction) -> Prediction:
    """The first three channels, by channel: affinities to the voxel before along z, y and x."""
    _check_prediction(prediction)
    if prediction.shape[3] < 3:
        raise ValueError(f"the prediction has {prediction.shape[3]} channels, not the 3 of affinities along z, y and x")
    affinities = np.moveaxis(prediction[..., :3], 3, 0)
    _check_values(affinities)
    return affinities


def channels_of(prediction: Prediction, number: int, what: str) -> Prediction:
    """All channels of a prediction that must have so many, their values checked."""
    _check_prediction(prediction)
    if prediction.shape[3] != number:
        raise ValueError(f"the prediction has {prediction.shape[3]} channels, not {number} ({what})")
    _check_values(prediction)
    return prediction


def check_mask(mask: Mask | None, shape: tuple[int, ...]) -> None:
    """Refuse a mask of another shape or type than the box."""
    if mask is not None and (mask.dtype != np.bool_ or mask.shape != shape):
        raise ValueError(f"the mask is {mask.dtype} of {mask.shape}, not bool of {shape}")


def check_supervoxels(supervoxels: Labels, shape: tuple[int, ...]) -> None:
    """Refuse labels of another shape or type than the prediction's box."""
    if supervoxels.dtype != np.uint32 or supervoxels.shape != shape:
        raise ValueError(f"the supervoxels are {supervoxels.dtype} of {supervoxels.shape}, not uint32 of {shape}")


def check_share(name: str, value: float) -> None:
    """Refuse a parameter outside 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value:g}, but must be from 0 to 1")


def number_of(name: str, value: float | str) -> float:
    """A threshold as a number; ValueError where it is a word that was not replaced by what it means."""
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, which is found in a whole image: give a number")  # noqa: TRY004 - it is a value that steps may be given
    return value


def check_at_least(name: str, value: float, least: float) -> None:
    """Refuse a parameter that is too small, or not a number."""
    if not least <= value < np.inf:
        raise ValueError(f"{name} is {value:g}, but must be at least {least:g}")


def check_above_0(name: str, value: float) -> None:
    """Refuse a parameter that is 0, negative, or not a number."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name} is {value:g}, but must be above 0")


def _check_prediction(prediction: Prediction) -> None:
    if prediction.dtype != np.float32 or prediction.ndim != 4:
        raise ValueError(
            f"the prediction is {prediction.dtype} of {prediction.shape}, not float32 with the axes z, y, x and channel"
        )


def _check_values(values: NDArray[np.float32]) -> None:
    if values.size == 0:
        return
    lowest, highest = values.min(), values.max()  # NaN where one is
    if np.isnan(lowest):
        raise ValueError("the prediction has values that are not numbers (NaN)")
    if lowest < 0 or highest > 1:
        raise ValueError(f"the prediction has values from {lowest:g} to {highest:g}, but must have them from 0 to 1")
