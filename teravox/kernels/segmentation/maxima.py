"""The tops of a map of heights: voxels, or plateaus, with nothing higher beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.checks import Labels

_SEEN = np.uint32(0xFFFFFFFF)  # of a plateau that is no top


def number_tops(heights: NDArray[np.float32], *, per_slice: bool = False) -> Labels:
    """Number the tops above 0 in the order of their first voxels; voxels that meet at a corner are beside each other."""
    tops = np.zeros(heights.shape, np.uint32)
    _number(read_only(heights), tops, 0 if per_slice else 1)
    return tops


@compiled
def _doubled(places: NDArray[np.int32]) -> NDArray[np.int32]:
    larger = np.empty((2 * len(places), 3), np.int32)
    for one in range(len(places)):
        for axis in range(3):
            larger[one, axis] = places[one, axis]
    return larger


@compiled
def _number(heights: NDArray[np.float32], tops: Labels, reach: int) -> None:
    planes, rows, columns = heights.shape
    plateau = np.empty((64, 3), np.int32)
    number = np.uint32(0)
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                height = heights[z, y, x]
                if not height > 0 or tops[z, y, x] != 0:
                    continue
                if (
                    (x > 0 and heights[z, y, x - 1] > height)
                    or (x + 1 < columns and heights[z, y, x + 1] > height)
                    or (y > 0 and heights[z, y - 1, x] > height)
                    or (y + 1 < rows and heights[z, y + 1, x] > height)
                    or (reach > 0 and z > 0 and heights[z - 1, y, x] > height)
                    or (reach > 0 and z + 1 < planes and heights[z + 1, y, x] > height)
                ):  # nearly all of them
                    continue
                tops[z, y, x] = _SEEN
                plateau[0, 0], plateau[0, 1], plateau[0, 2] = z, y, x
                found, turn, highest = 1, 0, True
                while turn < found:
                    cz, cy, cx = plateau[turn, 0], plateau[turn, 1], plateau[turn, 2]
                    turn += 1
                    for nz in range(max(0, cz - reach), min(planes, cz + reach + 1)):
                        for ny in range(max(0, cy - 1), min(rows, cy + 2)):
                            for nx in range(max(0, cx - 1), min(columns, cx + 2)):
                                beside = heights[nz, ny, nx]
                                if beside > height:
                                    highest = False
                                elif beside == height and tops[nz, ny, nx] == 0:
                                    tops[nz, ny, nx] = _SEEN
                                    if found == len(plateau):
                                        plateau = _doubled(plateau)
                                    plateau[found, 0], plateau[found, 1], plateau[found, 2] = nz, ny, nx
                                    found += 1
                if highest:
                    number += np.uint32(1)
                    for one in range(found):
                        tops[plateau[one, 0], plateau[one, 1], plateau[one, 2]] = number
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                if tops[z, y, x] == _SEEN:
                    tops[z, y, x] = 0
