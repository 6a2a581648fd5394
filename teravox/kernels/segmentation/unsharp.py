"""The unsharp mask: what a blur takes away is added, so that edges become steeper and fine things stand out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.scale import Zyx
from teravox.kernels.segmentation.smoothing import smooth

Floats = NDArray[np.float32]  # z, y and x


def sharpen(values: Floats, sigmas: Zyx, amount: float, threshold: float = 0.0) -> Floats:
    """Sharpen a contiguous array in place, and return it; the blur is by so many voxels along z, y and x.

    `amount` times what the blur takes away is added, of which the first `threshold` does not count, so that noise below
    it stays as it is. The result depends on as many voxels around as the blur does.
    """
    lost = smooth(values.copy(), sigmas)
    for plane, missing in zip(values, lost, strict=True):  # one at a time, for little memory
        np.subtract(plane, missing, out=missing)
        if threshold > 0:
            missing -= np.clip(missing, -np.float32(threshold), np.float32(threshold))
        missing *= np.float32(amount)
        plane += missing
    return values
