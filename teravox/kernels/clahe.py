"""Contrast limited adaptive histogram equalization of a part of a slice, as if it were done to the whole slice.

The definition is OpenCV's: https://docs.opencv.org/4.x/d6/db6/classcv_1_1CLAHE.html
Tiles are counted from the corner of the whole slice. Each has a map of values, out of its histogram; a voxel becomes
what the maps of the four nearest tiles say, weighted by how near their centres are. Tiles that the far edges of the
slice cut off are filled up with its mirror image.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.histogram import values_of

Array = NDArray[Any]  # of 8 or 16 bits without sign


class Axis(NamedTuple):
    """The part of one axis of a slice that is made, in voxels from the corner of the whole slice."""

    start: int
    stop: int
    tile: int
    whole: int

    @property
    def _tile(self) -> int:
        return min(self.tile, self.whole)

    @property
    def _tiles(self) -> int:
        return -(-self.whole // self._tile)

    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """The tiles before and after each voxel, and how much the one after it weighs."""
        place = np.arange(self.start, self.stop, dtype=np.float32) * (np.float32(1) / np.float32(self._tile))
        place -= np.float32(0.5)
        before = np.floor(place)
        tiles = before.astype(np.int64)
        return np.maximum(tiles, 0), np.minimum(tiles + 1, self._tiles - 1), place - before

    def tiles(self) -> tuple[int, int]:
        """The first tile that is needed, and the one after the last."""
        before, after, _ = Axis(self.start, self.start + 1, self.tile, self.whole).neighbours()
        _, last, _ = Axis(self.stop - 1, self.stop, self.tile, self.whole).neighbours()
        return int(min(before[0], after[0])), int(last[0]) + 1

    def span(self) -> tuple[int, int]:
        """The voxels that these tiles hold, and those that are mirrored into them."""
        first, end = self.tiles()
        mirrored = 2 * (self.whole - 1) - (end * self._tile - 1)
        return min(first * self._tile, mirrored), min(end * self._tile, self.whole)

    def sources(self) -> NDArray[np.int64]:
        """Where in `span` the voxels of the tiles come from, by tile and place in it."""
        first, end = self.tiles()
        at = np.arange(first * self._tile, end * self._tile)
        return (np.where(at < self.whole, at, 2 * (self.whole - 1) - at) - self.span()[0]).reshape(-1, self._tile)


def equalize_slice(slice_: Array, x: Axis, y: Axis, clip_limit: float, result: Array, *, keep_background: bool) -> None:
    """Equalize one slice of x and y that covers the spans of both axes, into a result that covers what is made.

    No value of a tile counts more than `clip_limit` times the mean; what is cut off is spread over all values.
    With `keep_background`, 0 does not count and stays 0.
    """
    (x0, x1), (y0, y1) = x.span(), y.span()
    if slice_.shape != (x1 - x0, y1 - y0) or result.shape != (x.stop - x.start, y.stop - y.start):
        raise ValueError(f"a slice of {slice_.shape} does not cover {x} and {y}, or {result.shape} is not what is made")
    plane = np.asfortranarray(slice_).T
    plane.flags.writeable = False  # so that one compiled function serves all arrays
    maps = _tile_maps(plane, x.sources(), y.sources(), clip_limit, values_of(slice_.dtype), keep_background)
    (left, right, x_weight), (above, below, y_weight) = x.neighbours(), y.neighbours()
    first_x, first_y = x.tiles()[0], y.tiles()[0]
    corner = (x.start - x0, y.start - y0)
    _blend(
        plane, corner, maps, left - first_x, right - first_x, x_weight, above - first_y, below - first_y, y_weight,
        result.T, keep_background,
    )  # fmt: skip


def map_bytes(x: Axis, y: Axis, dtype: np.dtype[Any]) -> int:
    """What the maps of the tiles of a slice take."""
    (first_x, end_x), (first_y, end_y) = x.tiles(), y.tiles()
    return (end_x - first_x) * (end_y - first_y) * values_of(dtype) * dtype.itemsize


@compiled
def _tile_maps(plane: Array, xs: Array, ys: Array, clip_limit: float, values: int, keep_background: bool) -> Array:
    maps = np.empty((ys.shape[0], xs.shape[0], values), plane.dtype)
    counts = np.empty(values, np.int64)
    for tile_y in range(ys.shape[0]):
        for tile_x in range(xs.shape[0]):
            counts[:] = 0
            for y in ys[tile_y]:
                row = plane[y]
                for x in xs[tile_x]:
                    counts[row[x]] += 1
            if keep_background:
                counts[0] = 0
            _map_values(counts, clip_limit, maps[tile_y, tile_x])
    return maps


@compiled
def _map_values(counts: Array, clip_limit: float, result: Array) -> None:
    values = counts.size
    total = counts.sum()
    if total == 0:  # a tile of background only changes nothing
        for value in range(values):
            result[value] = value
        return
    _clip(counts, max(int(clip_limit * total / values), 1))
    scale = np.float32(values - 1) / np.float32(total)
    below = 0
    for value in range(values):
        below += counts[value]
        result[value] = min(np.rint(np.float32(below) * scale), np.float32(values - 1))


@compiled
def _clip(counts: Array, limit: int) -> None:
    values = counts.size
    clipped = 0
    for value in range(values):
        if counts[value] > limit:
            clipped += counts[value] - limit
            counts[value] = limit
    each = clipped // values
    rest = clipped - each * values
    counts += each
    if rest > 0:
        step = max(values // rest, 1)
        for at in range(rest):
            if at * step < values:
                counts[at * step] += 1


@compiled
def _blend(
    plane: Array,
    corner: tuple[int, int],
    maps: Array,
    left: Array,
    right: Array,
    x_weight: Array,
    above: Array,
    below: Array,
    y_weight: Array,
    result: Array,
    keep_background: bool,
) -> None:
    one = np.float32(1)
    for y in range(result.shape[0]):
        row, into = plane[corner[1] + y], result[y]
        upper, lower = maps[above[y]], maps[below[y]]
        down = y_weight[y]
        up = one - down
        for x in range(result.shape[1]):
            value = row[corner[0] + x]
            if keep_background and value == 0:
                into[x] = 0
                continue
            to_right = x_weight[x]
            to_left = one - to_right
            top = np.float32(upper[left[x], value]) * to_left + np.float32(upper[right[x], value]) * to_right
            bottom = np.float32(lower[left[x], value]) * to_left + np.float32(lower[right[x], value]) * to_right
            into[x] = np.rint(top * up + bottom * down)
