"""What each filter consists of at a sigma: a blur of the whole, and kernels of at most five voxels on what that leaves.

The definitions are ilastik's, so that its classifiers give its answers. They are written down in docs/features.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import read_only
from teravox.kernels.segmentation.scale import Zyx, sides
from teravox.kernels.segmentation.smoothing import weights

Floats = NDArray[np.float32]
Vec = tuple[int, int, int]

SMOOTH, FIRST, SECOND, NARROW, INNER, INNER_FIRST = range(6)  # the kernels of a stencil

_BLUR_WINDOW = 3.5  # sigmas to either side that a kernel reaches
_FILTER_WINDOW = 2.0
_NARROW = 0.66  # of a sigma: the narrower blur of the difference of Gaussians
_INNER = 0.5  # of a sigma: that of the gradients in the structure tensor


@dataclass(frozen=True, eq=False)
class Stencil:
    """The kernels of one sigma, along z, y and x."""

    blur: tuple[Floats, Floats, Floats]  # of the whole, as `smooth_part` takes them
    taps: Floats  # by axis, by kernel, at the distances 0, 1 and 2
    reach: Vec  # of the filters, in voxels, behind the blur
    inner: Vec  # of the gradients in the structure tensor
    outer: Vec  # of what smooths their products

    @property
    def flat(self) -> bool:
        return self.reach[0] == 0

    @property
    def blur_reach(self) -> Vec:
        z, y, x = (len(half) - 1 for half in self.blur)
        return z, y, x

    def filter_reach(self, *, tensor: bool) -> Vec:
        """Of all filters but the structure tensor, or of that one as well."""
        z, y, x = (
            max(reach, (inner + outer) * tensor)
            for reach, inner, outer in zip(self.reach, self.inner, self.outer, strict=True)
        )
        return z, y, x


@lru_cache
def stencil(sigma: float, resolution: Zyx, *, flat: bool) -> Stencil:
    """That of a sigma which is so many of the finest voxels; slice by slice it does nothing along z."""
    before = math.sqrt(sigma * sigma - 1) if sigma > 1 else sigma
    after = min(sigma, 1.0)
    taps = np.zeros((3, 6, 3), np.float64)
    taps[:, (SMOOTH, NARROW, INNER), 0] = 1
    blur, reaches = [], []
    for axis, side in enumerate(sides(resolution)):
        if flat and axis == 0:
            blur.append(weights(0.0, 0))
            reaches.append((0, 0, 0))
            continue
        blur.append(weights(before / side, _radius(_BLUR_WINDOW, before / side)))
        own = after / side
        for kind, share in ((SMOOTH, 1.0), (NARROW, _NARROW), (INNER, _INNER)):
            _put(taps[axis, kind], weights(own * share, _radius(_FILTER_WINDOW, own * share)))
        _put(taps[axis, FIRST], _first(own) / side)
        _put(taps[axis, SECOND], _second(own) / side**2)
        _put(taps[axis, INNER_FIRST], _first(own * _INNER) / side)
        outer = _radius(_FILTER_WINDOW, own)
        reaches.append((max(1, outer), max(1, _radius(_FILTER_WINDOW, own * _INNER)), outer))
    (z, y, x), (inner_z, inner_y, inner_x), (outer_z, outer_y, outer_x) = zip(*reaches, strict=True)
    return Stencil(
        (blur[0], blur[1], blur[2]),
        read_only(taps.astype(np.float32)),
        (z, y, x),
        (inner_z, inner_y, inner_x),
        (outer_z, outer_y, outer_x),
    )


def _radius(window: float, sigma: float) -> int:
    return int(window * sigma + 0.5)


def _put(into: NDArray[np.float64], half: NDArray[np.floating]) -> None:
    into[: len(half)] = half


def _first(sigma: float) -> NDArray[np.float64]:
    """The first derivative of a Gaussian, exact for straight lines: the weights of a voxel's neighbours after it.

    Where the sigma is so small that only the nearest ones count, it is half of their difference.
    """
    reach = _radius(_FILTER_WINDOW, sigma)
    if reach < 2:
        return np.array([0.0, 0.5])
    distances = np.arange(reach + 1)
    found = distances * np.exp(-0.5 * (distances / sigma) ** 2)
    scaled: NDArray[np.float64] = found / (2 * (found * distances).sum())
    return scaled


def _second(sigma: float) -> NDArray[np.float64]:
    """The second derivative of a Gaussian, exact for parabolas: what sums to 0 is made of it by taking its mean away."""
    reach = _radius(_FILTER_WINDOW, sigma)
    if reach < 2:
        return np.array([-2.0, 1.0])
    distances = np.arange(reach + 1)
    found = ((distances / sigma) ** 2 - 1) * np.exp(-0.5 * (distances / sigma) ** 2)
    found -= (found[0] + 2 * found[1:].sum()) / (2 * reach + 1)
    scaled: NDArray[np.float64] = found / (found * distances**2).sum()
    return scaled
