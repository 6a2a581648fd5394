"""The features of voxels: filters of the image round each, of which classifiers learn.

A voxel gets the same features, to the last bit, in whichever box they are computed, as long as that has the margin.
At its ends the box is mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.derivatives import fill_derivatives
from teravox.kernels.learning.feature_groups import Box, Group, groups_of, shape_of
from teravox.kernels.learning.selection import DEFAULT, FILTERS, SIGMAS, TENSOR, Feature, Selection, feature_names
from teravox.kernels.learning.stencils import Vec
from teravox.kernels.learning.structure import fill_structure
from teravox.kernels.segmentation.grey import Grey
from teravox.kernels.segmentation.scale import Zyx
from teravox.kernels.segmentation.smoothing import smooth_part

__all__ = [
    "DEFAULT",
    "FILTERS",
    "SIGMAS",
    "Box",
    "Feature",
    "Selection",
    "compute",
    "feature_names",
    "margin",
    "memory",
    "slabs",
]

Floats = NDArray[np.float32]

_ALLOCATING = 1.03  # times as many bytes are taken as are asked for, as measured


def margin(selection: Selection, resolution: Zyx) -> Vec:
    """How many voxels along z, y and x the features look to either side."""
    reaches = [group.reach for group in groups_of(selection, 1, resolution)]
    z, y, x = (max(along) for along in zip(*reaches, strict=True))
    return z, y, x


def compute(gray: Grey, selection: Selection, resolution: Zyx, kept: Box | None = None) -> Floats:
    """The features of a box, or of the part of it that is kept: feature, z, y and x."""
    channels = _channels(gray)
    kept = _checked(kept, gray.shape)
    result = np.empty((selection.columns(len(channels)), *shape_of(kept)), np.float32)
    if result.size:
        for number, channel in enumerate(channels):
            for group in groups_of(selection, len(channels), resolution):
                _fill(result, channel, group, number, kept)
    return result


def slabs(
    gray: Grey, selection: Selection, resolution: Zyx, kept: Box | None, working_memory: float
) -> Iterator[tuple[slice, Floats]]:
    """The features of what is kept, some planes at a time: which of the array's planes they are of, and the features.

    So many at a time that this takes no more than the working memory, beside the array itself, if the caller lets go of
    each before the next one.
    """
    kept = _checked(kept, gray.shape)
    (first, end), rows, columns = kept
    depth = _depth(gray, selection, resolution, kept, working_memory)
    for start in range(first, end, depth):
        stop = min(start + depth, end)
        yield slice(start, stop), compute(gray, selection, resolution, ((start, stop), rows, columns))


def memory(gray: Grey, selection: Selection, resolution: Zyx, kept: Box | None = None) -> int:
    """The most bytes that `compute` takes, with its result."""
    kept = _checked(kept, gray.shape)
    groups = groups_of(selection, len(_channels(gray)), resolution)
    planes, rows, columns = shape_of(kept)
    result = 4 * selection.columns(len(_channels(gray))) * planes * rows * columns
    return int(_ALLOCATING * (result + max(group.working_bytes(kept, gray.shape) for group in groups)))


def _depth(gray: Grey, selection: Selection, resolution: Zyx, kept: Box, working_memory: float) -> int:
    """How many planes can be computed at once."""
    (start, stop), rows, columns = kept

    def takes(depth: int) -> int:
        first = min(max(start, (gray.shape[0] - depth) // 2), stop - depth)  # where the ends cut least off the margin
        return memory(gray, selection, resolution, ((first, first + depth), rows, columns))

    low, high = 1, max(1, stop - start)
    if stop > start and takes(1) > working_memory:
        raise ValueError(
            f"one plane of {rows[1] - rows[0]} x {columns[1] - columns[0]} voxels with {len(selection)} features takes "
            f"{takes(1) / 1e6:.3g} MB, but there are {working_memory / 1e6:.3g} MB: allow more memory, cut smaller boxes, "
            "or choose fewer features or smaller sigmas"
        )
    while low < high:
        middle = (low + high + 1) // 2
        if takes(middle) <= working_memory:
            low = middle
        else:
            high = middle - 1
    return low


def _fill(result: Floats, gray: Grey, group: Group, channel: int, kept: Box) -> None:
    """The columns of one channel that a group makes."""
    blurred, own, pad = _blur(gray, group, kept), group.stencil, group.pad
    columns = {name: first + channel * width for name, (first, width) in group.columns.items()}
    fill_derivatives(blurred, result, columns, own, pad)
    if TENSOR in columns:
        around = tuple(
            min(reach, room)
            for (start, stop), size, reach in zip(kept, gray.shape, own.outer, strict=True)
            for room in (start, size - stop)
        )
        fill_structure(blurred, result, columns[TENSOR], own, pad, around)


def _blur(gray: Grey, group: Group, kept: Box) -> Floats:
    """The blurred image, wider than what is kept by what the filters look at."""
    cut, pad = group.cut(kept, gray.shape), group.pad
    with np.errstate(over="ignore"):
        values = gray[tuple(slice(start, stop) for start, stop in cut)].astype(np.float32, order="C")
    if gray.dtype.kind == "f" and not all(np.isfinite(plane).all() for plane in values):
        raise ValueError("the image has values that are not finite numbers (NaN or infinite) as float32")
    corner = [start - wide - first for (start, _), (first, _), wide in zip(kept, cut, pad, strict=True)]
    size = [length + 2 * wide for length, wide in zip(shape_of(kept), pad, strict=True)]
    return smooth_part(values, group.stencil.blur, (corner[0], corner[1], corner[2]), (size[0], size[1], size[2]))


def _channels(gray: Grey) -> list[Grey]:
    """Views of the channels."""
    if gray.ndim == 3:
        return [gray]
    if gray.ndim == 4:
        return [gray[..., channel] for channel in range(gray.shape[3])]
    raise ValueError(f"the image has {gray.ndim} axes, not z, y, x or z, y, x, channel")


def _checked(kept: Box | None, shape: tuple[int, ...]) -> Box:
    """What is kept, all by default; it must lie in the array."""
    whole = ((0, shape[0]), (0, shape[1]), (0, shape[2]))
    if kept is None:
        return whole
    if not all(0 <= start <= stop <= size for (start, stop), (_, size) in zip(kept, whole, strict=True)):
        raise ValueError(f"{kept} is to be kept of an array of {shape[:3]}, but must lie in it")
    return kept
