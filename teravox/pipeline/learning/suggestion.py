"""Where to label next: the slices of which a model is unsure, and that are unlike the labelled ones.

A few slices are looked at, evenly spread along an axis, and of a large one a few windows, so that it takes about the same
time in an image of any size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from teravox.kernels.learning.measures import DEFAULT as MARGIN
from teravox.kernels.learning.measures import Measure
from teravox.kernels.learning.selection import DEFAULT, Selection
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.learning.axes import AXES, AnyAxis, Axis
from teravox.pipeline.learning.looking import WINDOW, Looker
from teravox.pipeline.segmentation.layer_input import LayerInput

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.learning.labels import Labels

Progress = Callable[[int], object]

WINDOWS = 8  # of a slice, at most
LABELLED = 16  # labelled slices that are looked at, at most
VOXELS = 32_000_000  # that features are made of at most, unless one window of each slice needs more
FEWEST = 0.2  # of the labels that are on a slice in the mean, which make another slice a labelled one
APART = 4  # suggestions lie further apart than the length of the axis by this and their number
GOLDEN = 0.618034  # of a slice, by which the next seed looks aside
STRIDES = (
    0.754878,
    0.569840,
)  # of the ways to go, from window to window (http://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/)


class Suggestion(NamedTuple):
    """A slice to label, and where in it to begin."""

    axis: Axis
    position: int  # of the slice along the axis, in voxels of the mip
    score: float  # uncertainty by novelty, 0 to 1
    uncertainty: float  # the mean of what was looked at of the slice, 0 to 1; 0 where there is no model
    place: Vec  # the middle of what the model is least sure of, x, y, z


def suggest(
    image: Layer,
    mip: int,
    labels: Labels,
    model: Model | None,
    *,
    axis: AnyAxis = "auto",
    number: int = 5,
    slices: int = 24,
    seed: int = 0,
    measure: Measure = MARGIN,
    box: Box | None = None,
    selection: Selection = DEFAULT,
    fill_missing: bool = False,
    progress: Progress | None = None,
) -> list[Suggestion]:
    """The slices to label next, the best one first; fewer than `number` where no more are without labels.

    Without a model they are slices that look different from each other and from the labelled ones, by the features of
    `selection`. `progress` is told of each slice that was looked at. The same arguments give the same slices.
    """
    from teravox.kernels.learning.slices import choose

    whole = image.bounds(mip) if box is None else box.intersect(image.bounds(mip))
    if whole.is_empty:
        raise BadUsage(f"--bounds: {box} lies outside of {image.place(mip)}, which is {image.bounds(mip)}")
    along = _axis(axis, whole)
    chosen_features = selection if model is None else model.selection
    looker = Looker(LayerInput(image, mip, fill_missing), model, chosen_features, measure)
    windows = _windows(whole, along, _most_windows(looker, along, whole.size[along], slices), seed)
    labelled = _labelled(labels, whole, along)
    seen = []
    for position in _positions(whole, along, labelled, slices, seed):
        seen.append(looker.look(windows, along, position, labelled=position in labelled))
        if progress is not None:
            progress(1)
    looks = [one.look for one in seen]
    chosen = choose(looks, number, labelled=labelled, spacing=whole.size[along] // (APART * number))
    return [
        Suggestion(AXES[along], looks[at].position, score, looks[at].uncertainty, seen[at].place)
        for at, score in chosen
    ]


def count_looks(image: Layer, mip: int, axis: AnyAxis, slices: int, box: Box | None) -> int:
    """About how many slices will be looked at."""
    whole = image.bounds(mip) if box is None else box.intersect(image.bounds(mip))
    return min(slices, whole.size[_axis(axis, whole)])


def _axis(axis: AnyAxis, box: Box) -> int:
    """The axis that was named, or the shortest one, whose slices are the largest; z of equal ones."""
    if axis != "auto":
        return AXES.index(axis)
    return min((2, 1, 0), key=lambda one: box.size[one])


def _labelled(labels: Labels, box: Box, along: int) -> set[int]:
    """The positions of the slices that are labelled.

    A slice that only crosses what was painted on others has hardly any labels, and counts as unlabelled.
    """
    import numpy as np

    counts: list[Counter[int]] = [Counter(), Counter(), Counter()]  # by axis: the labels of each slice
    for one in labels.labelled_voxels():
        places = one.places[((one.places >= box.min) & (one.places < box.max)).all(axis=1)]
        for found, column in zip(counts, places.T, strict=True):
            positions, numbers = np.unique(column, return_counts=True)
            found.update(dict(zip(positions.tolist(), numbers.tolist(), strict=True)))
    if not counts[along]:
        return set()
    painted = counts[along].total() / min(map(len, counts))  # on each of the slices that were painted on
    return {position for position, number in counts[along].items() if number >= FEWEST * painted}


def _positions(box: Box, along: int, labelled: set[int], slices: int, seed: int) -> list[int]:
    """The slices to look at: some without labels, evenly spread, and some with labels, which those are compared with."""
    free = [at for at in range(box.min[along], box.max[along]) if at not in labelled]
    shift = (0.5 + GOLDEN * seed) % 1
    known = _some(sorted(labelled), LABELLED, 0.5)
    return sorted([*_some(free, slices, shift), *known]) if free else []


def _some(positions: list[int], most: int, shift: float) -> list[int]:
    number = min(most, len(positions))
    return [positions[int((at + shift) * len(positions) / number)] for at in range(number)]


def _most_windows(looker: Looker, along: int, length: int, slices: int) -> int:
    """How many windows of each slice can be looked at."""
    return max(1, min(WINDOWS, round(VOXELS / looker.window_voxels(along, length, slices))))


def _windows(box: Box, along: int, most: int, seed: int) -> list[Box]:
    """The windows of each slice that are looked at, as boxes of the whole depth; all of a small slice."""
    across = [axis for axis in range(3) if axis != along]
    if box.size[across[0]] * box.size[across[1]] <= most * WINDOW * WINDOW:
        return [box]
    windows = []
    for at in range(most):
        low, high = list(box.min), list(box.max)
        for axis, stride in zip(across, STRIDES, strict=True):
            size = min(WINDOW, box.size[axis])
            part = (0.5 + (seed + 1) * (at + 1) * stride) % 1
            low[axis] += round(part * (box.size[axis] - size))
            high[axis] = low[axis] + size
        windows.append(Box((low[0], low[1], low[2]), (high[0], high[1], high[2])))
    return windows
