"""What a model of supervoxels predicts: the same for all voxels of a supervoxel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning import features, slic_tiles
from teravox.kernels.learning.pooling import STATISTICS, Pooled, bytes_of, pool
from teravox.kernels.learning.slic_tiles import Cut, Supervoxels
from teravox.kernels.segmentation.grey import Grey
from teravox.kernels.segmentation.patches import Box, Vec
from teravox.kernels.segmentation.scale import Zyx

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model

Probabilities = NDArray[np.float32]  # z, y, x and class


class Described(NamedTuple):
    """Supervoxels, and what each is like."""

    cut: Cut
    pooled: Pooled

    @property
    def means(self) -> Pooled:
        """Of each feature, by supervoxel."""
        return self.pooled[:: len(STATISTICS)]

    def places(self, kept: Box) -> NDArray[np.uint32]:
        """By voxel of a box of the array that was cut: the place of its supervoxel."""
        z, y, x = (
            slice(start - first, stop - first) for (start, stop), (first, _) in zip(kept, self.cut.box, strict=True)
        )
        return self.cut.labels[z, y, x] - np.uint32(1)


def describe(
    gray: Grey,
    selection: features.Selection,
    how: Supervoxels,
    resolution: Zyx,
    corner: Vec,
    kept: Box,
    working_memory: int,
) -> Described:
    """The supervoxels that a box of the array meets, and what each is like.

    The array must reach `reaches` further than the box, or as far as the volume; its first voxel is at `corner`.
    """
    cut = slic_tiles.cut(gray, how, resolution, corner, kept)
    channels = gray.shape[3] if gray.ndim == 4 else 1
    parts = _parts(gray, selection, resolution, cut.box, (how.tile, corner), working_memory)
    return Described(cut, pool(cut.labels, cut.number, selection.columns(channels), _inside(cut.box, parts)))


def _parts(
    gray: Grey, selection: features.Selection, resolution: Zyx, box: Box, tiles: tuple[Vec, Vec], working_memory: int
) -> Iterator[tuple[Box, features.Floats]]:
    """The features of a box of whole tiles, planes by planes; of a part after the other where a plane is too large."""
    z, y, x = box
    middle = (z[0] + z[1]) // 2  # where the ends of the array are farthest
    plane = features.memory(gray, selection, resolution, ((middle, middle + 1), y, x))
    halves = _halves(box, *tiles) if plane > working_memory else None
    if halves is not None:
        for half in halves:
            yield from _parts(gray, selection, resolution, half, tiles, working_memory)
        return
    for planes, values in features.slabs(gray, selection, resolution, box, working_memory):
        yield ((planes.start, planes.stop), y, x), values


def _halves(box: Box, tile: Vec, corner: Vec) -> tuple[Box, Box] | None:
    """A box cut between two tiles, across the longer one of y and x; None where it is one tile long in both."""
    z, y, x = box
    for axis in sorted((1, 2), key=lambda axis: box[axis][0] - box[axis][1]):
        (start, stop), side, first = box[axis], tile[axis], corner[axis]
        middle = ((start + stop) // 2 + first) // side * side - first
        middle = middle if middle > start else middle + side
        if start < middle < stop:
            cuts = (start, middle), (middle, stop)
            return ((z, cuts[0], x), (z, cuts[1], x)) if axis == 1 else ((z, y, cuts[0]), (z, y, cuts[1]))
    return None


def _inside(
    outer: Box, parts: Iterable[tuple[Box, features.Floats]]
) -> Iterator[tuple[tuple[slice, ...], features.Floats]]:
    """The same parts, by where they lie in an outer box."""
    for box, values in parts:
        yield tuple(slice(a - low, b - low) for (a, b), (low, _) in zip(box, outer, strict=True)), values


def reaches(selection: features.Selection, how: Supervoxels, resolution: Zyx) -> Vec:
    """How far around a voxel the image is needed to know the supervoxel that it is in."""
    tile, filters = slic_tiles.reach(how, resolution), features.margin(selection, resolution)
    z, y, x = (side - 1 + max(a - side + 1, b) for side, a, b in zip(how.tile, tile, filters, strict=True))
    return z, y, x


def predict(gray: Grey, model: Model, corner: Vec, kept: Box, working_memory: int) -> Probabilities:
    """The probabilities of the classes, where they are `kept`; 0 elsewhere."""
    result = np.zeros((*gray.shape[:3], len(model.classes)), np.float32)
    z, y, x = (slice(start, stop) for start, stop in kept)
    if not result[z, y, x].size:
        return result
    found = describe(gray, model.selection, supervoxels_of(model), model.scale, corner, kept, working_memory)
    result[z, y, x] = model.forest.predict(found.pooled)[found.places(kept)]
    return result


def margin(model: Model) -> Vec:
    """How far from a voxel its prediction depends on the image."""
    return reaches(model.selection, supervoxels_of(model), model.scale)


def memory(model: Model) -> float:
    """The bytes that predicting takes for each voxel, besides the working memory."""
    how = supervoxels_of(model)
    pooling = bytes_of(
        model.selection.columns(model.channels), 2 / how.size
    )  # where supervoxels come out half as large
    return 4.0 + pooling + 4.0 * len(model.classes)


def supervoxels_of(model: Model) -> Supervoxels:
    """How the supervoxels of a model are made; ValueError where it has none or says what cannot be meant."""
    return Supervoxels.from_json(model.supervoxels)
