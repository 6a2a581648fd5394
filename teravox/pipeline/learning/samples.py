"""What is learnt from: the features of labelled voxels, of which nothing but their surroundings is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.chosen import choose
from teravox.pipeline.learning.reading import read_around
from teravox.pipeline.learning.wish import AT_MOST
from teravox.pipeline.segmentation.layer_input import LayerInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.selection import Selection
    from teravox.pipeline.learning.labels import Labels

    Features = NDArray[np.float32]  # by feature and sample
    Classes = NDArray[np.int64]
    Places = NDArray[np.int64]  # a row of x, y and z for each sample

Progress = Callable[[int], object]

CELL = 96  # voxels along each axis that are read at a time, with what is around them
WORKING_MEMORY = 500_000_000  # bytes for the features of a cell


class Samples(NamedTuple):
    """Labelled voxels with their features."""

    features: Features
    labels: Classes  # from 0 on: the first class is 0
    coordinates: Places  # in voxels of the mip
    labelled: tuple[int, ...]  # by class, all voxels that have its label, also those that were left out


def gather(
    image: Layer,
    mip: int,
    labels: Labels,
    selection: Selection,
    *,
    box: Box | None = None,
    at_most: int | None = AT_MOST,
    seed: int = 0,
    fill_missing: bool = False,
    progress: Progress | None = None,
) -> Samples:
    """The features of the labelled voxels of a box, of each class no more than `at_most`.

    The memory is that of the samples and of one cell of the image. `progress` is told how many samples are done.
    """
    import numpy as np

    from teravox.kernels.learning.features import margin, slabs

    scale = image.scale(mip)
    bounds = scale.bounds if box is None else box.intersect(scale.bounds)
    if bounds.is_empty:
        raise BadUsage(f"--bounds: {box} lies outside of {image.place(mip)}, which is {scale.bounds}")
    chosen = choose(labels, bounds, at_most, seed)
    if not len(chosen.places):
        raise BadInput(f"{labels.url} has no label in {bounds}. Label some voxels with: teravox learn label")
    x, y, z = map(float, scale.resolution)
    given, resolution = LayerInput(image, mip, fill_missing), (z, y, x)
    around = margin(selection, resolution)
    total = len(chosen.places)
    features = np.empty((selection.columns(image.info.num_channels), total), np.float32)
    numbers, places = np.empty(total, np.int64), np.empty((total, 3), np.int64)
    done = 0
    for own, classes in chosen.by_cells(CELL):
        inner = _box_of(own)
        seen = read_around(given, inner, around)
        first = seen.kept[0][0]
        depth = own[:, 2] - inner.min[2] + first
        here = np.arange(done, done + len(own))
        for planes, found in slabs(seen.gray, selection, resolution, seen.kept, WORKING_MEMORY):
            some = (depth >= planes.start) & (depth < planes.stop)
            at = own[some] - (*inner.min[:2], inner.min[2] + planes.start - first)
            features[:, here[some]] = found[:, at[:, 2], at[:, 1], at[:, 0]]
            del found  # before the next ones are computed
        numbers[here], places[here] = classes.astype(np.int64) - 1, own
        done += len(own)
        if progress is not None:
            progress(len(own))
    return Samples(features, numbers, places, chosen.labelled)


def _box_of(places: Places) -> Box:
    """The smallest box with all of these voxels."""
    low, high = places.min(axis=0).tolist(), (places.max(axis=0) + 1).tolist()
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
