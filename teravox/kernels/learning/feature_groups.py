"""What the features of a sigma share: one blur of the image, as wide as the filters behind it look."""

from __future__ import annotations

from typing import NamedTuple

from teravox.kernels.learning.rows import ALONG
from teravox.kernels.learning.selection import TENSOR, Selection
from teravox.kernels.learning.stencils import Stencil, Vec, stencil
from teravox.kernels.learning.structure import PLANES_KEPT, PRODUCTS
from teravox.kernels.segmentation.scale import Zyx
from teravox.kernels.segmentation.smoothing import STRIP

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]  # from and to along z, y and x

_RESERVE = 1 << 16  # bytes for rows and the like


class Group(NamedTuple):
    """The features of one sigma: the first column of each, and how many a channel has there."""

    stencil: Stencil
    columns: dict[str, tuple[int, int]]

    @property
    def reach(self) -> Vec:
        """How far the features look."""
        own = self.stencil
        z, y, x = (blur + filter for blur, filter in zip(own.blur_reach, self._filter_reach, strict=True))
        return z, y, x

    @property
    def pad(self) -> Vec:
        """How much wider the blurred image is: sums along x read so far whatever their reach, with no weight beyond."""
        z, y, x = self._filter_reach
        return z, y, max(x, ALONG + (self.stencil.outer[2] if TENSOR in self.columns else 0))

    @property
    def _filter_reach(self) -> Vec:
        return self.stencil.filter_reach(tensor=TENSOR in self.columns)

    def cut(self, kept: Box, shape: tuple[int, ...]) -> Box:
        """What is read of an image."""
        z, y, x = (
            (max(0, start - reach), min(size, stop + reach))
            for (start, stop), reach, size in zip(kept, self.reach, shape, strict=False)
        )
        return z, y, x

    def working_bytes(self, kept: Box, shape: tuple[int, ...]) -> int:
        """The most bytes that the features take beside their columns."""
        depth, height, width = shape_of(self.cut(kept, shape))
        planes, rows, columns = (size + 2 * pad for size, pad in zip(shape_of(kept), self.pad, strict=True))
        reach_z, reach_y, _ = self.stencil.blur_reach
        read, along_z = depth * height * width, planes * height * width
        along_y, blurred = planes * rows * width, planes * rows * columns
        strip = min(STRIP, height * width) * max(planes + 2 * reach_z, rows + 2 * reach_y)
        tensor = PLANES_KEPT * PRODUCTS * rows * columns if TENSOR in self.columns else 0
        blurring = strip + max(read + along_z + along_y, read + along_y + blurred)
        return 4 * max(blurring, blurred + tensor) + _RESERVE


def groups_of(selection: Selection, channels: int, resolution: Zyx) -> list[Group]:
    """The features, by what they share."""
    groups: dict[tuple[float, bool], Group] = {}
    column = 0
    for feature in selection:
        key = feature.sigma, feature.flat
        if key not in groups:
            groups[key] = Group(stencil(feature.sigma, resolution, flat=feature.flat), {})
        groups[key].columns[feature.filter] = (column, feature.width)
        column += channels * feature.width
    return list(groups.values())


def shape_of(box: Box) -> Vec:
    (z, z_end), (y, y_end), (x, x_end) = box
    return z_end - z, y_end - y, x_end - x
