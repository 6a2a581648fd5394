"""The parts of an array that are predicted one after another, so that their features fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning import features
from teravox.kernels.learning.features import Box
from teravox.kernels.learning.model import Model
from teravox.kernels.segmentation.grey import Grey

PLANES = (
    16  # at once, as long as the part is larger than this along y or x: for each slab some around it are computed too
)
SIDE = 96

Mask = NDArray[np.bool_]


def cut_parts(
    gray: Grey, model: Model, kept: Box, working_memory: int
) -> Iterator[tuple[tuple[slice, ...], NDArray[np.float32]]]:
    """Where each part of what is kept lies in the array, and its features: feature, z, y and x."""
    columns = model.selection.columns(model.channels)
    for_features = working_memory * columns / (columns + 2 * len(model.classes))  # and the rest for what is predicted
    for part in _cut(gray, model, kept, for_features):
        _, y, x = part
        for planes, values in features.slabs(gray, model.selection, model.scale, part, for_features):
            yield (planes, slice(*y), slice(*x)), values
            del values  # before the next ones are computed


def where_wanted(mask: Mask | None, kept: Box) -> Box:
    """The part of what is kept where the mask has anything."""
    if mask is None:
        return kept
    z, y, x = (slice(start, stop) for start, stop in kept)
    wanted = mask[z, y, x]
    spans = []
    for axis, (start, _) in enumerate(kept):
        at = np.flatnonzero(wanted.any(axis=tuple({0, 1, 2} - {axis})))
        spans.append((start + int(at[0]), start + int(at[-1]) + 1) if len(at) else (start, start))
    return spans[0], spans[1], spans[2]


def _cut(gray: Grey, model: Model, kept: Box, most: float) -> Iterator[Box]:
    """What is kept, halved along y and x until enough planes of it fit at once."""
    z, y, x = kept
    if any(stop <= start for start, stop in kept):
        return
    high, wide = y[1] - y[0], x[1] - x[0]
    planes = min(PLANES if max(high, wide) > SIDE else 1, z[1] - z[0])
    first = min(max(z[0], (gray.shape[0] - planes) // 2), z[1] - planes)  # where the margin is cut off least
    before = 4 * model.selection.columns(model.channels) * planes * high * wide  # the slab before, while it is in use
    takes = features.memory(gray, model.selection, model.scale, ((first, first + planes), y, x)) + before
    if max(high, wide) == 1 or takes <= most:
        yield kept
    elif high >= wide:
        half = y[0] + high // 2
        yield from _cut(gray, model, (z, (y[0], half), x), most)
        yield from _cut(gray, model, (z, (half, y[1]), x), most)
    else:
        half = x[0] + wide // 2
        yield from _cut(gray, model, (z, y, (x[0], half)), most)
        yield from _cut(gray, model, (z, y, (half, x[1])), most)
