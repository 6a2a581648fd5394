"""Numbers as colors: labels, gray values, and how much of a volume is there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]  # of any type of voxels
Colors = NDArray[np.uint8]  # red, green and blue along the last axis

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 by the golden ratio: its multiples spread evenly
_HERE, _PARTLY, _GONE = (68, 145, 140), (222, 158, 54), (140, 30, 45)


def paint_labels(labels: Numbers) -> Colors:
    """A color for each label, the same wherever it is seen; background is black."""
    distinct, at = np.unique(labels, return_inverse=True)
    mixed = distinct.astype(np.uint64) * np.uint64(_GOLDEN)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_GOLDEN)
    hue = (mixed >> np.uint64(40)).astype(np.float64) / (1 << 24)
    lightness = 0.55 + 0.25 * ((mixed >> np.uint64(20)) & np.uint64(0xFF)).astype(np.float64) / 255
    wheel = (hue[:, None] + np.array([0, 2 / 3, 1 / 3])) % 1 * 6
    pure = np.clip(np.abs(wheel - 3) - 1, 0, 1)
    colors = (255 * np.clip(lightness[:, None] + 0.65 * (pure - 0.5), 0, 1)).astype(np.uint8)
    colors[distinct == 0] = 0
    return np.asarray(colors[at.reshape(labels.shape)], np.uint8)


def paint_gray(values: Numbers, black: float, white: float) -> NDArray[np.uint8]:
    """Values stretched so that these two become black and white; what is no number is black."""
    scaled = (values.astype(np.float64) - black) * (255 / (white - black if white > black else 1))
    return np.asarray(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255).round(), np.uint8)


def paint_coverage(share: NDArray[np.floating[Any]]) -> Colors:
    """What is whole in one color, what is partly there in a second, what is not there in a third."""
    colors = np.empty((*share.shape, 3), np.uint8)
    colors[...] = _PARTLY
    colors[share >= 1] = _HERE
    colors[share <= 0] = _GONE
    return colors
