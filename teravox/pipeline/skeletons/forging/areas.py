"""Measures the areas of labels across their skeletons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.box import Box
from teravox.pipeline.skeletons.forging.reading import Read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.skeleton.skeleton import Skeleton

    Rows = NDArray[np.intp]

AREA = (
    "cross_sectional_area"  # in square nanometres; negative where what was read ended first, so that it may be larger
)


def measure(
    skeletons: dict[int, Skeleton],
    rows: dict[int, Rows] | None,
    read: Read,
    around: Box,
    bounds: Box,
    step: tuple[float, float, float],
    window: int,
) -> dict[int, Rows]:
    """Put the areas of vertices, of all or of these, among the attributes of the skeletons, by label, in place.

    Which of them were cut off where there is more to read. Skeletons are in voxels of the volume.
    """
    import numpy as np

    from teravox.kernels.skeleton.cross_sections import find_normals, measure_areas

    numbers = dict(zip(read.labels.tolist(), range(len(read.labels)), strict=True))
    x, y, z = (-start for start in around.min)
    more = _sides_with_more(around, bounds)
    cut_off = {}
    for label in skeletons if rows is None else rows:
        skeleton = skeletons[label]
        some = np.arange(len(skeleton.vertices)) if rows is None else rows[label]
        normals = find_normals(skeleton, window, step)[some]
        areas, contacts = measure_areas(read.voxels, numbers[label], skeleton.moved((x, y, z)), some, normals, step)
        known = skeleton.attributes.setdefault(AREA, np.zeros(len(skeleton.vertices), np.float32))
        known[some] = np.where(contacts, -areas, areas)
        if (contacts & more).any():
            cut_off[label] = some[(contacts & more) != 0]
    return cut_off


def _sides_with_more(around: Box, bounds: Box) -> int:
    """A bit for each side where the volume goes on: that of the lower end of x, of its upper end, and so on."""
    sides = 0
    for axis in (0, 1, 2):
        sides |= (around.min[axis] > bounds.min[axis]) << (2 * axis)
        sides |= (around.max[axis] < bounds.max[axis]) << (2 * axis + 1)
    return sides
