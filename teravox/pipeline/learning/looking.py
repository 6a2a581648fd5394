"""Looks at a slice of an image, as a model sees it: its features, and how unsure the model is of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from teravox.kernels.learning.measures import Measure
from teravox.kernels.learning.selection import Selection
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.layer import within
from teravox.pipeline.learning.reading import read_around
from teravox.pipeline.segmentation.layer_input import LayerInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.model import Model
    from teravox.kernels.learning.slic_tiles import Supervoxels
    from teravox.kernels.learning.slices import Look

    Floats = NDArray[np.float32]

WINDOW = 128  # voxels along the sides of a window of a slice
WORKING_MEMORY = 200_000_000  # bytes of features that are held at a time


class Seen(NamedTuple):
    """What was seen of a slice."""

    look: Look
    place: Vec  # the middle of what the model is least sure of, x, y, z


class _Tiles(NamedTuple):
    """The supervoxels of a window, through all of their tiles."""

    places: NDArray[np.uint32]  # by voxel, z, y and x: the place of its supervoxel
    means: Floats  # by feature and supervoxel
    probabilities: Floats  # by supervoxel and class


class Looker:
    """An image, and what it is looked at with; the selection is the model's, where there is one."""

    def __init__(self, given: LayerInput, model: Model | None, selection: Selection, measure: Measure) -> None:
        self.given = given
        self.model = model
        self.selection = selection
        self.measure = measure
        self._described: dict[Box, _Tiles] = {}  # those of the last slice, which the next one may lie in as well

    def look(self, windows: Sequence[Box], along: int, position: int, *, labelled: bool) -> Seen:
        """What is seen of the slice at a position along an axis, within windows whatever their depth."""
        from teravox.kernels.learning.slices import Part, find_place, look
        from teravox.kernels.learning.uncertainty import uncertainty

        slices = [_cut(window, along, position) for window in windows]
        worst, place = -1.0, _middle(slices[0])

        def parts() -> Iterator[Part]:
            nonlocal worst, place
            for box in slices:
                features, probabilities = self._see(box, along)
                if probabilities is None:
                    yield Part(features, None)
                    continue
                uncertain = uncertainty(probabilities, self.measure)
                rows, columns = (n for axis, n in enumerate(box.size) if axis != along)
                plane = uncertain.reshape(box.size[::-1]).T.reshape(rows, columns)  # the lower axis first
                block = find_place(plane)
                if block.score > worst:
                    worst, place = block.score, _at(box, along, block.row, block.column)
                yield Part(features, uncertain)

        return Seen(look(position, labelled, parts()), place)

    def window_voxels(self, along: int, length: int, slices: int) -> int:
        """About how many voxels must be described for one window of so many slices, on an axis of that length."""
        how = self._supervoxels
        if how is None:
            return slices * WINDOW * WINDOW
        sides = how.tile[::-1]
        layers = min(slices, 1 + length // sides[along])
        return layers * math.prod(side if axis == along else WINDOW + side for axis, side in enumerate(sides))

    def _see(self, box: Box, along: int) -> tuple[Floats, Floats | None]:
        """By voxel of a box, z slowest: its features, or those of its supervoxel, and the probabilities of its classes."""
        from teravox.kernels.learning import features

        how = self._supervoxels
        if how is not None:
            return self._see_supervoxels(box, along, how)
        seen = read_around(self.given, box, features.margin(self.selection, self._scale))
        values = features.compute(seen.gray, self.selection, self._scale, seen.kept)
        values = values.reshape(len(values), -1)
        return values, None if self.model is None else self.model.forest.predict(values)

    def _see_supervoxels(self, box: Box, along: int, how: Supervoxels) -> tuple[Floats, Floats]:
        layer = _layer(box, along, how.tile[2 - along], self.given.layer.bounds(self.given.mip))
        tiles = self._described.get(layer)
        if tiles is None:
            if any(other.min[along] != layer.min[along] for other in self._described):
                self._described.clear()
            tiles = self._described[layer] = self._describe(layer, how)
        x, y, z = within(box, layer)
        at = tiles.places[z, y, x].reshape(-1)
        return tiles.means[:, at], tiles.probabilities[at]

    def _describe(self, box: Box, how: Supervoxels) -> _Tiles:
        from teravox.kernels.learning.supervoxel_prediction import describe, reaches

        assert self.model is not None  # without one there are no supervoxels
        scale = self._scale
        seen = read_around(self.given, box, reaches(self.selection, how, scale))
        found = describe(seen.gray, self.selection, how, scale, seen.corner, seen.kept, WORKING_MEMORY)
        return _Tiles(found.places(seen.kept), found.means, self.model.forest.predict(found.pooled))

    @property
    def _supervoxels(self) -> Supervoxels | None:
        """How the supervoxels are made that the model knows; None where it knows voxels."""
        if self.model is None or self.model.unit == "voxels":
            return None
        from teravox.kernels.learning.supervoxel_prediction import supervoxels_of

        return supervoxels_of(self.model)

    @property
    def _scale(self) -> tuple[float, float, float]:
        """The sides of a voxel, as the features take them."""
        if self.model is not None:
            return self.model.scale
        x, y, z = map(float, self.given.layer.scale(self.given.mip).resolution)
        return z, y, x


def _cut(window: Box, along: int, position: int) -> Box:
    low, high = list(window.min), list(window.max)
    low[along], high[along] = position, position + 1
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _layer(box: Box, along: int, side: int, bounds: Box) -> Box:
    """A slice of a box as thick as the tiles that it lies in."""
    low, high = list(box.min), list(box.max)
    low[along] = max(bounds.min[along], box.min[along] // side * side)
    high[along] = min(bounds.max[along], box.min[along] // side * side + side)
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _middle(box: Box) -> Vec:
    x, y, z = ((a + b) // 2 for a, b in zip(box.min, box.max, strict=True))
    return x, y, z


def _at(box: Box, along: int, row: int, column: int) -> Vec:
    """The middle of a block of a slice, by where it begins along the other two axes."""
    from teravox.kernels.learning.slices import BLOCK

    low, high = list(box.min), list(box.max)
    first, second = (axis for axis in range(3) if axis != along)
    for axis, start in ((first, row), (second, column)):
        low[axis] = box.min[axis] + start
        high[axis] = min(low[axis] + BLOCK, box.max[axis])
    return _middle(Box((low[0], low[1], low[2]), (high[0], high[1], high[2])))
