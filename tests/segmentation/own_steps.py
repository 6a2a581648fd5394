"""Steps as somebody might write them for a lab: good ones, and ones that break the contract in each possible way."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of whatever a step is given


def darkness(gray: Array, mask: Array | None, *, low: float = 0.0, high: float = 255.0) -> Array:
    """How dark a voxel is."""
    found = 1 - (gray.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.clip(found, 0, 1)[..., np.newaxis])


def blurred(gray: Array, mask: Array | None, *, radius: Annotated[int, "Voxels on either side."] = 2) -> Array:
    """The mean of a cube around each voxel, which mirrors the image at its borders."""
    values = np.pad(gray.astype(np.float64), radius, mode="reflect" if min(gray.shape) > radius else "symmetric")
    for axis in range(3):
        sums = np.cumsum(np.moveaxis(values, axis, 0), axis=0)
        sums = np.concatenate([np.zeros_like(sums[:1]), sums])
        values = np.moveaxis(np.round(sums[2 * radius + 1 :] - sums[: -2 * radius - 1]), 0, axis)
    return np.asarray(values[..., np.newaxis] / (255 * (2 * radius + 1) ** 3), np.float32)


def _around(*, radius: int, **_: object) -> tuple[int, int, int]:
    return (radius, radius, radius)


vars(blurred)["margin"] = _around


def two_classes(gray: Array, mask: Array | None) -> Array:
    """Bright and dark."""
    bright = gray.astype(np.float32) / 255
    return np.stack([bright, 1 - bright], axis=-1)


vars(two_classes)["channels"] = 2


def where(gray: Array, mask: Array | None, *, resolution: Any, corner: Any, kept: Any) -> Array:
    """Tells by its values what it was told."""
    found = np.zeros((*gray.shape, 1), np.float32)
    z, y, x = (np.arange(n) + low for n, low in zip(gray.shape, corner, strict=True))
    found[..., 0] = (x[None, None, :] + 2 * y[None, :, None] + 3 * z[:, None, None]) % 97 / 97
    assert resolution == (40.0, 4.0, 4.0)
    assert all(0 <= low < high <= n for (low, high), n in zip(kept, gray.shape, strict=True))
    return found


def pieces(prediction: Array, mask: Array | None, *, threshold: float = 0.5) -> Array:
    """Connected pieces below a threshold."""
    import cc3d

    inside = prediction[..., 0] < threshold
    if mask is not None:
        inside &= mask
    return np.ascontiguousarray(cc3d.connected_components(inside.view(np.uint8), connectivity=6, out_dtype=np.uint32))


def by_two(prediction: Array, supervoxels: Array) -> Array:
    """Joins every label with the next."""
    joined: Array = supervoxels - (supervoxels % 2 == 0).astype(np.uint32) * (supervoxels > 0)
    return joined.astype(np.uint32)


def hang(gray: Array, mask: Array | None) -> Array:
    """Never comes back."""
    while True:
        time.sleep(60)


def hang_in_a_library(gray: Array, mask: Array | None) -> Array:
    """Never comes back, and keeps the interpreter from doing anything else."""
    import ctypes

    ctypes.PyDLL(None).sleep(60)
    raise AssertionError("it came back")


def none_at_all(gray: Array, mask: Array | None) -> Any:
    return None


def doubles(gray: Array, mask: Array | None) -> Array:
    return np.zeros((*gray.shape, 1))


def flat(gray: Array, mask: Array | None) -> Array:
    return np.zeros(gray.shape, np.float32)


def not_numbers(gray: Array, mask: Array | None) -> Array:
    found = np.zeros((*gray.shape, 1), np.float32)
    found[-1, -1, -1] = np.nan
    return found


def percents(gray: Array, mask: Array | None) -> Array:
    return np.full((*gray.shape, 1), 100, np.float32)


def writes_into_the_image(gray: Array, mask: Array | None) -> Array:
    gray[0, 0, 0] = 1
    return darkness(gray, mask)


def raises(gray: Array, mask: Array | None) -> Array:
    raise RuntimeError("no such device")


def bleeds(prediction: Array, mask: Array | None) -> Array:
    return np.ones(prediction.shape[:3], np.uint32)


def longs(prediction: Array, mask: Array | None) -> Array:
    return np.zeros(prediction.shape[:3], np.int64)


def invents(prediction: Array, supervoxels: Array) -> Array:
    return supervoxels + np.uint32(1000) * (supervoxels > 0)


def fills(prediction: Array, supervoxels: Array) -> Array:
    return np.where(supervoxels == 0, supervoxels.max(), supervoxels)


def shell(gray: Array, mask: Array | None, *, command: str) -> Array:
    os.system(command)  # what nobody should be able to ask for, unless the operator named this module
    return darkness(gray, mask)


def _private(gray: Array, mask: Array | None) -> Array:
    return darkness(gray, mask)
