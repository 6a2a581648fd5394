"""Sizes of boxes that end between the chunks of several scales, and how they grow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from teravox.pipeline.box import Vec


def common(sizes: Sequence[Vec], factor: Vec) -> Vec:
    """The smallest size whose multiples are whole numbers of each of `sizes`, of which each is one mip above the last."""
    x, y, z = sizes[0]
    for step, size in enumerate(sizes):
        cell = [n * f**step for n, f in zip(size, factor, strict=True)]
        x, y, z = (math.lcm(a, b) for a, b in zip((x, y, z), cell, strict=True))
    return (x, y, z)


def clip(shape: Vec, whole: Vec) -> Vec:
    """The part of a shape that a volume of this size can fill."""
    x, y, z = map(min, shape, whole)
    return (x, y, z)


def say_size(size: Vec) -> str:
    """A size as it is typed."""
    return ",".join(map(str, size))


def enlarge(shape: Vec, whole: Vec, fits: Callable[[Vec], bool], first: Sequence[int] = (2, 1, 0)) -> Vec:
    """The shape, doubled along its shortest side as long as the volume is larger and the result fits.

    Only along the axes that are named; of sides that are equally short, that of the one which stands `first`.
    """
    while True:
        axes = [axis for axis in first if shape[axis] < whole[axis]]
        if not axes:
            return shape
        longer = min(axes, key=lambda axis: shape[axis])
        x, y, z = (n * 2 if axis == longer else n for axis, n in enumerate(shape))
        if not fits(clip((x, y, z), whole)):
            return shape
        shape = (x, y, z)
