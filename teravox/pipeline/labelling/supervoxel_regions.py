"""Supervoxels of what is shown, with what each is like; they are the same as those of the whole volume."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.labelling.planes import Tile, flatten
from teravox.pipeline.labelling.sight import Seen
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.learning.reading import read_around
from teravox.pipeline.segmentation.layer_input import LayerInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.selection import Selection
    from teravox.kernels.learning.slic_tiles import Supervoxels

    Numbers = NDArray[np.uint32]  # z, y, x
    Features = NDArray[np.float32]  # a row for each feature, a column for each supervoxel
    Places = NDArray[np.int64]  # a row of x, y, z for each voxel

WORKING_MEMORY = 200_000_000  # bytes of features that are held at a time


class Region(NamedTuple):
    """The supervoxels of a box of whole tiles, numbered from 1."""

    box: Box
    numbers: Numbers
    features: Features

    @property
    def bytes(self) -> int:
        return int(self.numbers.nbytes + self.features.nbytes)

    def part(self, box: Box) -> Numbers:
        """The numbers of a box within."""
        x, y, z = within(box, self.box)
        return self.numbers[z, y, x]


class SupervoxelRegions:
    """The supervoxels of a mip of an image, of which those are kept that were asked for last."""

    def __init__(self, image: Layer, mip: int, selection: Selection, how: Supervoxels, most: int) -> None:
        from teravox.kernels.learning.supervoxel_prediction import reaches

        x, y, z = image.scale(mip).resolution
        self.resolution = (float(z), float(y), float(x))
        self.bounds = image.bounds(mip)
        self.how = how
        self.side: Vec = (how.tile[2], how.tile[1], how.tile[0])
        self._selection = selection
        self._given = LayerInput(image, mip, fill_missing=True)
        self._scale = image.scale(mip)
        self._margin = reaches(selection, how, self.resolution)
        self._most = most
        self._kept: OrderedDict[Box, Region] = OrderedDict()
        self._lock = threading.Lock()

    def see(self, tile: Tile) -> Seen:
        """What the supervoxels of a tile are like, and the supervoxel of each voxel."""
        import numpy as np

        box = tile.box(self._scale)
        region = self.of(box)
        numbers = flatten(region.part(box).T, tile.plane)
        return Seen(region.features, (numbers - np.uint32(1)).reshape(-1))

    def knows(self, box: Box) -> bool:
        """Whether the supervoxels of a box need not be made."""
        with self._lock:
            return self._find(self.cubes_of(box)) is not None

    def of(self, box: Box) -> Region:
        """The supervoxels of a box, and of what else is known around it."""
        from teravox.kernels.learning.supervoxel_prediction import describe

        whole = self.cubes_of(box)
        with self._lock:  # so that nobody makes what another one is making
            region = self._find(whole)
            if region is None:
                seen = read_around(self._given, whole, self._margin)
                found = describe(
                    seen.gray, self._selection, self.how, self.resolution, seen.corner, seen.kept, WORKING_MEMORY
                )
                region = Region(whole, found.cut.labels, found.pooled)
                self._kept[whole] = region
                while sum(one.bytes for one in self._kept.values()) > self._most and len(self._kept) > 1:
                    self._kept.popitem(last=False)
            return region

    def cube_of(self, place: Vec) -> Box:
        """The tile of supervoxels in which a voxel lies."""
        return self.cubes_of(Box(place, (place[0] + 1, place[1] + 1, place[2] + 1)))

    def cubes_of(self, box: Box) -> Box:
        """A box grown to whole tiles of supervoxels, which are cut off at the bounds."""
        low = [a // side * side for a, side in zip(box.min, self.side, strict=True)]
        high = [-(-b // side) * side for b, side in zip(box.max, self.side, strict=True)]
        return Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).intersect(self.bounds)

    def whole(self, places: Places) -> Places:
        """All voxels of the supervoxels in which some voxels lie."""
        import numpy as np

        found = [np.zeros((0, 3), np.int64)]
        cubes = places // np.array(self.side)
        for cube in np.unique(cubes, axis=0):
            inside = places[(cubes == cube).all(axis=1)]
            x, y, z = map(int, inside[0])
            box = self.cube_of((x, y, z))
            numbers = self.of(box).part(box).T
            touched = np.unique(numbers[tuple((inside - np.array(box.min)).T)])
            found.append(np.argwhere(np.isin(numbers, touched)) + np.array(box.min))
        return np.concatenate(found)

    def _find(self, whole: Box) -> Region | None:
        for box, region in self._kept.items():
            if box.intersect(whole) == whole:
                self._kept.move_to_end(box)
                return region
        return None
