"""Supervoxels for classifiers, in tiles at fixed places of the volume, so that each is the same in whichever block it is made.

A supervoxel never crosses the border of a tile. At the ends of the volume tiles are cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.clusters import Clusters, find_clusters
from teravox.kernels.segmentation.grey import Grey, shares
from teravox.kernels.segmentation.patches import Box, Vec
from teravox.kernels.segmentation.scale import Zyx, sides, sigmas
from teravox.kernels.segmentation.smoothing import reaches, smooth

SIZE, COMPACTNESS, SIGMA, ITERATIONS = 100, 0.1, 1.0, 10  # where nothing else is said; the best of some on four volumes
SUPERVOXELS_ALONG = 5  # so many lie along each side of a tile
MOST_SIDE = 1024  # voxels of a tile
MOST_SIGMA = 100


@dataclass(frozen=True)
class Supervoxels:
    """How supervoxels are made."""

    low: float  # the grey value that counts as 0, ...
    high: float  # ... and the one that counts as 1
    tile: Vec  # voxels along z, y and x
    size: int = SIZE  # voxels of one, about
    compactness: float = COMPACTNESS  # the difference in value that counts as much as the way from one to the next
    sigma: float = SIGMA  # blur before, against noise, in the finest voxels
    iterations: int = ITERATIONS

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; it may come out of a file."""
        for name in ("size", "iterations"):
            if not 1 <= getattr(self, name) < 1 << 24:
                raise ValueError(f"{name} of the supervoxels is {getattr(self, name)}, but must be at least 1")
        if not (math.isfinite(self.compactness) and self.compactness > 0):
            raise ValueError(f"compactness of the supervoxels is {self.compactness:g}, but must be above 0")
        if not 0 <= self.sigma <= MOST_SIGMA:
            raise ValueError(f"sigma of the supervoxels is {self.sigma:g}, but must be from 0 to {MOST_SIGMA}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low is {self.low:g} and high is {self.high:g}, but low must be below high")
        if not all(1 <= n <= MOST_SIDE for n in self.tile):
            raise ValueError(f"a tile of supervoxels has three sides from 1 to {MOST_SIDE} voxels, not {self.tile}")

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a file."""
        return asdict(self) | {"tile": list(self.tile)}

    @classmethod
    def from_json(cls, said: Any) -> Supervoxels:
        """As it was kept; ValueError with a sentence where it cannot have been."""
        numbers = {one.name for one in fields(cls)} - {"tile"}
        if not isinstance(said, dict) or set(said) != numbers | {"tile"}:
            raise ValueError(f"supervoxels are told by {', '.join(sorted(numbers))} and tile")
        whole = {"size", "iterations"}
        for name in numbers:
            if isinstance(said[name], bool) or not isinstance(said[name], int if name in whole else int | float):
                raise ValueError(f"{name} of the supervoxels is {said[name]!r:.80}, and no number of the right sort")  # noqa: TRY004 - it is about a file
        tile = said["tile"]
        if not isinstance(tile, list) or len(tile) != 3 or not all(type(n) is int for n in tile):
            raise ValueError(f"tile of the supervoxels is {tile!r:.80}, not three whole numbers")
        return cls(**{name: said[name] for name in numbers}, tile=(tile[0], tile[1], tile[2]))


def tile_for(size: int, resolution: Zyx) -> Vec:
    """Tiles that hold some hundred supervoxels, about as long along each axis in nanometres."""
    across = sides(resolution)
    step = (size * math.prod(across)) ** (1 / 3)
    z, y, x = (min(MOST_SIDE, max(4, round(SUPERVOXELS_ALONG * step / side))) for side in across)
    return z, y, x


class Cut(NamedTuple):
    """Supervoxels of whole tiles."""

    labels: Clusters  # numbered from 1, of the voxels of `box`
    number: int
    box: Box  # where they lie in the array that was cut


def cut(gray: Grey, how: Supervoxels, resolution: Zyx, corner: Vec, kept: Box) -> Cut:
    """The supervoxels of all tiles that a box of the array meets; the array's first voxel is at `corner` of the volume.

    The array must reach as far round the box as `reach` says, or as the volume.
    """
    box = _around(gray, how.tile, corner, kept)
    labels = np.zeros([stop - start for start, stop in box], np.uint32)
    number = 0
    for z, y, x in _tiles(box, how.tile, corner):
        found = find_clusters(
            _values(gray, (z, y, x), how, resolution),
            sides(resolution),
            size=how.size,
            compactness=how.compactness,
            iterations=how.iterations,
        )
        inside = tuple(
            slice(part.start - start, part.stop - start) for part, (start, _) in zip((z, y, x), box, strict=True)
        )
        labels[inside] = found + np.uint32(number)
        number += int(found.max())
    return Cut(labels, number, box)


def reach(how: Supervoxels, resolution: Zyx) -> Vec:
    """How far around a voxel the image is needed to know the supervoxel that it is in."""
    z, y, x = (n - 1 + wide for n, wide in zip(how.tile, reaches(sigmas(how.sigma, resolution)), strict=True))
    return z, y, x


def _around(gray: Grey, tile: Vec, corner: Vec, kept: Box) -> Box:
    spans = []
    for (start, stop), side, first, n in zip(kept, tile, corner, gray.shape, strict=False):
        low = (start + first) // side * side - first
        high = -(-(stop + first) // side) * side - first
        spans.append((max(0, low), min(n, high)))
    return spans[0], spans[1], spans[2]


def _tiles(box: Box, tile: Vec, corner: Vec) -> Iterator[tuple[slice, slice, slice]]:
    """The tiles of a box of whole ones, cut off at its ends."""
    along = []
    for (start, stop), side, first in zip(box, tile, corner, strict=True):
        begin = (start + first) // side * side - first
        along.append([slice(max(at, start), min(at + side, stop)) for at in range(begin, stop, side)])
    yield from product(along[0], along[1], along[2])


def _values(gray: Grey, tile: tuple[slice, slice, slice], how: Supervoxels, resolution: Zyx) -> NDArray[np.float32]:
    """What is compared in a tile: blurred grey values, by channel."""
    across = sigmas(how.sigma, resolution)
    wide, inside = [], [slice(None)]
    for part, around, n in zip(tile, reaches(across), gray.shape, strict=False):
        first = max(0, part.start - around)
        wide.append(slice(first, min(n, part.stop + around)))
        inside.append(slice(part.start - first, part.stop - first))
    given = gray[tuple(wide)]
    found = []
    for channel in range(gray.shape[3] if gray.ndim == 4 else 1):
        values = shares(given, channel, how.low, how.high)
        found.append(smooth(np.nan_to_num(values, copy=False, nan=0.0), across))
    return np.stack(found)[tuple(inside)]
