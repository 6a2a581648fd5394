"""Checks compressed_segmentation data before the codec, which would read beyond the end of what was cut off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from teravox.pipeline.box import Vec

_MOST_BITS = 16  # what blocks of up to 65,536 voxels need; wider indices have no table that could be padded


def make_safe(data: bytes, shape: tuple[int, int, int, int], dtype: np.dtype[Any], block: Vec) -> bytes:
    """The data, with zeros behind them where an index could point beyond the end; ValueError if they are cut off.

    Each channel begins with two words a block: 24 bits of where its table of labels begins, 8 bits of how many
    bits an index has, and where the indices begin. Words are of 32 bits, places are counted from the channel's begin.
    """
    if len(data) % 4:
        raise ValueError(f"it has {len(data):,} bytes, which is no number of 32-bit words")
    words = np.frombuffer(data, "<u4")
    if len(words) < shape[3]:
        raise ValueError("it ends within its list of channels")
    blocks = math.prod(-(-n // b) for n, b in zip(shape, block, strict=False))
    voxels = math.prod(block)
    lacking = 0
    for channel in range(shape[3]):
        start = int(words[channel])
        if start + 2 * blocks > len(words):
            raise ValueError("it ends within its list of blocks")
        heads = words[start : start + 2 * blocks].reshape(blocks, 2).astype(np.int64)
        table, bits, indices = start + (heads[:, 0] & 0xFFFFFF), heads[:, 0] >> 24, start + heads[:, 1]
        if not np.isin(bits, (0, 1, 2, 4, 8, _MOST_BITS)).all():
            raise ValueError("a block has indices of a width that does not exist")
        if (indices + -(-bits * voxels // 32))[bits > 0].max(initial=0) > len(words):
            raise ValueError("it ends within the indices of a block")
        label = dtype.itemsize // 4
        if (table + label).max() > len(words):
            raise ValueError("it ends within the labels of a block")
        lacking = max(lacking, int((table + label * (1 << bits)).max()) - len(words))
    return data + bytes(4 * lacking) if lacking > 0 else data
