"""The labelled supervoxels of an image, and what each is like, for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from teravox.kernels.learning.selection import Selection
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import within
from teravox.pipeline.learning.labels import Labels
from teravox.pipeline.learning.reading import read_around
from teravox.pipeline.segmentation.layer_input import LayerInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.slic_tiles import Supervoxels
    from teravox.pipeline.layers.layer import Layer

Progress = Callable[[int], object]

WORKING_MEMORY = 500_000_000  # bytes of features that are held at a time


class SupervoxelSamples(NamedTuple):
    """What a classifier of supervoxels is trained with, in the order of their tiles."""

    features: NDArray[np.float32]  # pooled feature, and supervoxel
    labels: NDArray[np.int64]  # the class of each, counted from 0
    coordinates: NDArray[np.int64]  # of the middle of its labelled voxels: x, y, z
    voxels: NDArray[np.int64]  # how many of its voxels are labelled
    overruled: NDArray[np.int64]  # how many of these are labelled as another class than most

    @property
    def conflicts(self) -> int:
        """How many supervoxels have labels of several classes."""
        return int((self.overruled > 0).sum())


def make_supervoxels(image: Layer, mip: int, *, size: int, compactness: float, iterations: int) -> Supervoxels:
    """Supervoxels for an image: its darkest and brightest grey values are those of a sample of it."""
    from teravox.kernels.learning.slic_tiles import Supervoxels, tile_for
    from teravox.pipeline.view.sample import contrast_of, take_sample

    x, y, z = map(float, image.scale(mip).resolution)
    low, high = contrast_of(take_sample(image))
    return Supervoxels(low, high, tile_for(size, (z, y, x)), size, compactness, iterations=iterations)


def gather_supervoxels(
    image: Layer,
    mip: int,
    labels: Labels,
    selection: Selection,
    how: Supervoxels,
    *,
    classes: int,
    box: Box | None = None,
    fill_missing: bool = False,
    progress: Progress | None = None,
) -> SupervoxelSamples:
    """What the supervoxels with labels are like; only tiles with labels are read, one at a time.

    `progress` is told of each tile. BadInput where no voxel is labelled.
    """
    import numpy as np

    from teravox.kernels.learning.supervoxel_prediction import describe, reaches
    from teravox.kernels.learning.votes import count_votes

    whole = image.bounds(mip) if box is None else box.intersect(image.bounds(mip))
    x, y, z = map(float, image.scale(mip).resolution)
    resolution = (z, y, x)
    margin = reaches(selection, how, resolution)
    given = LayerInput(image, mip, fill_missing)
    parts = []
    for tile in labelled_tiles(labels, how, whole):
        there = tile.intersect(image.bounds(mip))  # the image has what is beyond `whole`, too
        said = np.zeros(there.size[::-1], np.uint8)
        inside = there.intersect(whole)
        said.T[within(inside, there)] = labels.read(inside).T
        seen = read_around(given, there, margin)
        found = describe(seen.gray, selection, how, resolution, seen.corner, seen.kept, WORKING_MEMORY)
        votes = count_votes(found.cut.labels, found.cut.number, said, classes)
        places = _middles(found.cut.labels, said) + np.array(there.min)
        parts.append(
            SupervoxelSamples(found.pooled[:, votes.places], votes.classes, places, votes.voxels, votes.overruled)
        )
        if progress is not None:
            progress(1)
    if not parts:
        raise BadInput(f"{labels.url} has no label in {whole}. Label some voxels with: teravox learn label")
    return SupervoxelSamples(
        np.concatenate([part.features for part in parts], axis=1),
        *(np.concatenate(rest) for rest in zip(*(part[1:] for part in parts), strict=True)),
    )


def labelled_tiles(labels: Labels, how: Supervoxels, whole: Box) -> list[Box]:
    """The tiles with labels, in the order of z, y and x."""
    import numpy as np

    z, y, x = how.tile
    found: set[Vec] = set()
    for one in labels.labelled_voxels():
        inside = ((one.places >= whole.min) & (one.places < whole.max)).all(axis=1)
        tiles = np.unique(one.places[inside] // np.array((x, y, z)), axis=0)
        found.update((int(a), int(b), int(c)) for a, b, c in tiles)
    return [_tile(place, (x, y, z)) for place in sorted(found, key=lambda place: place[::-1])]


def _tile(place: Vec, side: Vec) -> Box:
    low = (place[0] * side[0], place[1] * side[1], place[2] * side[2])
    return Box(low, (low[0] + side[0], low[1] + side[1], low[2] + side[2]))


def _middles(supervoxels: NDArray[np.uint32], said: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The middle of the labelled voxels of each supervoxel that has some, in ascending order of these: x, y, z."""
    import numpy as np

    at = np.nonzero(said)
    _, numbers, counts = np.unique(supervoxels[at], return_inverse=True, return_counts=True)
    sums = [np.bincount(numbers, one) for one in reversed(at)]
    return np.rint(np.stack(sums, axis=1) / counts[:, np.newaxis]).astype(np.int64)
