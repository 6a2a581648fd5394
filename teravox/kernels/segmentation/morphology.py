"""Cleans a mask: by the majority around a voxel, by a ball that must fit in, and by the width of holes.

A voxel gets the same value in whichever box it is read, if what the function says that it looks at is there. Beyond the
ends of a volume a mask goes on as if it were mirrored for the majority, and as if it were filled for the ball.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.segmentation.checks import Labels, Mask
from teravox.kernels.segmentation.distances import distances_inside
from teravox.kernels.segmentation.parts import number_parts
from teravox.kernels.segmentation.scale import Zyx, sides
from teravox.kernels.segmentation.smoothing import mirrored

Vec = tuple[int, int, int]
Counts = NDArray[np.uint16]

MOST_RADIUS = 15  # of a majority, whose votes are counted in 16 bits


def across(length: float, resolution: Zyx) -> Vec:
    """A length in the finest voxels as whole voxels along each axis, rounded."""
    z, y, x = (int(length / side + 0.5) for side in sides(resolution))
    return z, y, x


def take_majority(mask: Mask, radii: Vec) -> Mask:
    """Whether more than half of the box around a voxel is in a mask: its median, for what was grey and is cut by a threshold.

    It looks at `radii` voxels around.
    """
    if mask.size == 0:
        return mask
    votes: Counts = mask.astype(np.uint16)
    planes, rows, columns = votes.shape
    z, y, x = radii
    if z:
        _sum_middle(votes.reshape(1, planes, rows * columns), z)
    if y:
        _sum_middle(votes, y)
    if x:
        _sum_last(votes.reshape(planes * rows, columns), x)
    half = (2 * z + 1) * (2 * y + 1) * (2 * x + 1) // 2
    majority: Mask = votes > half
    return majority


def open_by_ball(mask: Mask, radius: float, resolution: Zyx) -> Mask:
    """What of a mask a ball covers that lies in it wholly; the radius is in the finest voxels, and it looks at two of them."""
    kept = distances_inside(mask, radius + 1, resolution) > np.float32(radius)
    if not kept.any():
        return kept
    np.logical_not(kept, out=kept)
    opened: Mask = distances_inside(kept, radius + 1, resolution) <= np.float32(radius)
    return opened


def fill_holes(mask: Mask, width: Vec) -> Mask:
    """A mask without holes that are at most so wide along each axis; what reaches the ends of the array is no hole.

    It looks at `width` voxels around.
    """
    holes = number_parts(~mask, connectivity=6)
    number = int(holes.max(initial=0))
    if number == 0:
        return mask
    boxes = np.empty((number + 1, 6), np.int32)
    boxes[:, :3], boxes[:, 3:] = np.iinfo(np.int32).max, -1
    _fit_boxes(read_only(holes), boxes)
    size = np.array(mask.shape)
    inside = ((boxes[:, :3] > 0) & (boxes[:, 3:] < size - 1) | (size == 1)).all(1)  # one slice is all there is
    filled: Mask = inside & (boxes[:, 3:] - boxes[:, :3] < np.array(width)).all(1)
    filled[0] = True
    found = np.empty(mask.shape, np.bool_)
    _look_up(read_only(holes).reshape(-1), filled, found.reshape(-1))
    return found


@compiled
def _sum_middle(votes: Counts, reach: int) -> None:
    """Sums along the middle axis, in place."""
    outer, size, columns = votes.shape
    plain = np.empty((size, columns), np.uint16)
    for block in range(outer):
        into = votes[block]
        plain[...] = into
        into[0, :] = plain[0]
        for step in range(1, reach + 1):
            before, after = plain[mirrored(-step, size)], plain[mirrored(step, size)]
            for column in range(columns):
                into[0, column] += before[column] + after[column]
        for at in range(1, size):
            last, gone, come = into[at - 1], plain[mirrored(at - 1 - reach, size)], plain[mirrored(at + reach, size)]
            for column in range(columns):
                into[at, column] = last[column] + come[column] - gone[column]


@compiled
def _sum_last(votes: Counts, reach: int) -> None:
    """Sums along the last axis, in place."""
    rows, size = votes.shape
    plain = np.empty(size, np.uint16)
    for row in range(rows):
        into = votes[row]
        plain[:] = into
        total = plain[0]
        for step in range(1, reach + 1):
            total += plain[mirrored(-step, size)] + plain[mirrored(step, size)]
        into[0] = total
        for at in range(1, size):
            total += plain[mirrored(at + reach, size)]
            total -= plain[mirrored(at - 1 - reach, size)]
            into[at] = total


@compiled
def _fit_boxes(labels: Labels, boxes: NDArray[np.int32]) -> None:
    """The first and the last voxel of each label along each axis."""
    planes, rows, columns = labels.shape
    for z in range(planes):
        for y in range(rows):
            x = 0
            while x < columns:
                label = labels[z, y, x]
                first = x
                while x < columns and labels[z, y, x] == label:
                    x += 1
                if label != 0:
                    box = boxes[label]
                    box[0], box[1], box[2] = min(box[0], z), min(box[1], y), min(box[2], first)
                    box[3], box[4], box[5] = max(box[3], z), max(box[4], y), max(box[5], x - 1)


@compiled
def _look_up(labels: Labels, table: Mask, found: Mask) -> None:
    for at in range(len(labels)):
        found[at] = table[labels[at]]
