"""How an array is cut for downsampling, and what memory that takes; planning a job looks here, and loads no library."""

from __future__ import annotations

import math
from typing import Literal

Vec = tuple[int, int, int]
Method = Literal["average", "mode", "min", "max", "stride"]

MOST_SQUARES = 4  # mips, whose sums of bytes a number of 16 bits holds
SLAB = 1 << 20  # voxels that are worked on at a time: what is made of them stays small, and in the cache


def sizes_above(size: Vec, factor: Vec, mip: int) -> Vec:
    """The size of a mip above an array."""
    x, y, z = (-(-n // f**mip) for n, f in zip(size, factor, strict=True))
    return (x, y, z)


def slab_depth(size: Vec, channels: int, factor: Vec, mips: int) -> int:
    """How many planes are worked on at a time: whole cells of the highest mip."""
    cell = factor[2] ** mips
    return int(max(1, SLAB // max(1, size[0] * size[1] * channels * cell)) * cell)


def goes_by_squares(itemsize: int, factor: Vec, mips: int, *, sparse: bool) -> bool:
    """Whether averages are those of squares of bytes, which take hardly any memory beside what they make."""
    return itemsize == 1 and factor == (2, 2, 1) and mips <= MOST_SQUARES and not sparse


def working_bytes(
    size: Vec, channels: int, itemsize: int, factor: Vec, mips: int, method: Method, *, sparse: bool
) -> int:
    """The most bytes that `downsample` needs beside its input and its results."""
    depth = min(size[2], slab_depth(size, channels, factor, mips))
    voxels = size[0] * size[1] * depth * channels
    if method == "average" and goes_by_squares(itemsize, factor, mips, sparse=sparse):
        a_voxel = 3.5  # two copies of a part of an array, the sums, the means
    elif method == "average":
        wide = 16 if itemsize == 8 else 8
        a_voxel = wide * 2.5 + itemsize + (9 if sparse else 0)  # the terms, their sums, what the division makes
    elif method == "mode":
        a_voxel = itemsize * 1.5 + 16 / math.prod(factor) + 2
    else:
        a_voxel = itemsize * 1.5
    return math.ceil(voxels * a_voxel)
