"""Checks compressed_segmentation data before the codec, which reads beyond the end of what was cut off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.box import Vec

_WIDTHS = (0, 1, 2, 4, 8, 16, 32)  # bits that an index may have


def check_whole(data: bytes, shape: tuple[int, int, int, int], dtype: np.dtype[Any], block: Vec) -> None:
    """Raise ValueError if anything in the data points beyond their end.

    Each channel begins with two words a block: 24 bits of where its table of labels begins, 8 bits of how many
    bits an index has, and where the indices begin. Words are of 32 bits, places are counted from the channel's begin.
    """
    if len(data) % 4:
        raise ValueError(f"it has {len(data):,} bytes, which is no number of 32-bit words")
    words = np.frombuffer(data, "<u4")
    if len(words) < shape[3]:
        raise ValueError("it ends within its list of channels")
    blocks = math.prod(-(-n // b) for n, b in zip(shape, block, strict=False))
    for channel in range(shape[3]):
        start = int(words[channel])
        if start + 2 * blocks > len(words):
            raise ValueError("it ends within its list of blocks")
        heads = words[start : start + 2 * blocks].reshape(blocks, 2).astype(np.int64)
        tables, widths, indices = start + (heads[:, 0] & 0xFFFFFF), heads[:, 0] >> 24, start + heads[:, 1]
        if not np.isin(widths, _WIDTHS).all():
            raise ValueError("a block has indices of a width that does not exist")
        for width in np.unique(widths):
            these = widths == width
            _check_blocks(words, tables[these], indices[these], int(width), math.prod(block), dtype.itemsize // 4)


def _check_blocks(
    words: NDArray[np.uint32],
    tables: NDArray[np.int64],
    indices: NDArray[np.int64],
    width: int,
    voxels: int,
    label: int,
) -> None:
    """The blocks whose indices have one width; only tables that could reach the end are looked up in full."""
    length = -(-width * voxels // 32)
    if (indices + length).max() > len(words):
        raise ValueError("it ends within the indices of a block")
    near = tables + (label << width) > len(words)
    used = np.zeros(int(near.sum()), np.int64)
    if width and len(used):
        packed = words[indices[near][:, None] + np.arange(length)]
        shifts = np.arange(0, 32, width, dtype=np.uint32)
        mask = np.uint32((1 << width) - 1)
        used = ((packed[:, :, None] >> shifts) & mask).max(axis=(1, 2)).astype(np.int64)
    if (tables[near] + label * (used + 1)).max(initial=0) > len(words):
        raise ValueError("it ends within the labels of a block")
