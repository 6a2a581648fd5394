"""Patches of a fixed size at fixed places of the volume, for networks: a voxel gets the same from whichever box is read.

A patch has a rim whose results are dropped, for the network saw too little around them. What is left of neighbouring
patches overlaps, and is blended there by cosine weights that sum to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vec = tuple[int, int, int]  # along z, y and x
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]  # from and to along each, in the array


class Patches(NamedTuple):
    """How patches are laid, in voxels along z, y and x."""

    size: Vec
    rim: Vec
    overlap: Vec

    @property
    def useful(self) -> Vec:
        """The size without the rim."""
        z, y, x = (size - 2 * rim for size, rim in zip(self.size, self.rim, strict=True))
        return z, y, x

    def check(self) -> None:
        """Refuse patches that leave nothing, or of which more than two would overlap along an axis."""
        for axis, size, rim, useful, overlap in zip("zyx", self.size, self.rim, self.useful, self.overlap, strict=True):
            if rim < 0 or overlap < 0 or useful < 1 or 2 * overlap > useful:
                raise ValueError(
                    f"a patch of {size} voxels along {axis} with a rim of {rim} keeps {max(useful, 0)}, "
                    f"of which at most half may overlap, not {overlap}"
                )

    def margin(self) -> Vec:
        """How far from a voxel the patches reach that it is in."""
        z, y, x = (useful + rim - 1 for useful, rim in zip(self.useful, self.rim, strict=True))
        return z, y, x

    def over(self, kept: Box, corner: Vec) -> Iterator[Vec]:
        """Where in the array the useful parts begin that a box of it needs, the array's first voxel being at `corner`."""
        places = []
        for axis, (start, stop) in enumerate(kept):
            step = self.useful[axis] - self.overlap[axis]
            first = (start + corner[axis] - self.useful[axis]) // step + 1
            end = -((-stop - corner[axis]) // step)
            places.append([number * step - corner[axis] for number in range(first, end)])
        yield from product(places[0], places[1], places[2])

    def cut(self, array: NDArray[Any], start: Vec) -> NDArray[Any]:
        """The patch whose useful part begins at a place, from an array of z, y, x and channel that is mirrored at its ends."""
        z, y, x = (
            _mirrored(np.arange(first - rim, first - rim + size), extent)
            for first, rim, size, extent in zip(start, self.rim, self.size, array.shape, strict=False)
        )
        return array[np.ix_(z, y, x)]

    def add(self, result: NDArray[np.float32], found: NDArray[np.float32], start: Vec) -> None:
        """Add the useful part of a patch to the result, weighted."""
        inside, into = [], []
        for axis, first in enumerate(start):
            low, high = max(first, 0), min(first + self.useful[axis], result.shape[axis])
            inside.append(slice(low - first, high - first))
            into.append(slice(low, high))
        z, y, x = (_weights(*sizes)[part] for *sizes, part in zip(self.useful, self.overlap, inside, strict=True))
        weights = z[:, None, None, None] * y[:, None, None] * x[:, None]
        result[tuple(into)] += found[tuple(inside)] * weights


def _weights(useful: int, overlap: int) -> NDArray[np.float32]:
    """Rises from 0 to 1 over the overlap, and falls again so that two neighbours sum to 1."""
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(overlap) + 0.5) / max(overlap, 1))).astype(np.float32)
    weights = np.ones(useful, np.float32)
    weights[:overlap] = rise
    weights[useful - overlap :] = np.float32(1) - rise
    return weights


def _mirrored(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    if size == 1:
        return np.zeros_like(places)
    turned = np.abs(places) % (2 * size - 2)
    inside: NDArray[np.int64] = np.minimum(turned, 2 * size - 2 - turned)
    return inside
