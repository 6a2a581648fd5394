"""Gives labels that are packed as compressed_segmentation other values, without unpacking them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Vec = tuple[int, int, int]


def relabel_packed(words: Words, blocks: int, table: NDArray[np.uint32]) -> Words:
    """The words of one channel of uint32 labels, each label replaced by what the table has at its place.

    The labels and the indices of blocks must follow one another without gaps, as teravox packs them.
    """
    start = int(words[0])  # of the channel, from which places are counted
    heads = words[start : start + 2 * blocks].astype(np.int64)
    labels = np.unique(heads[::2] & 0xFFFFFF)
    parts = np.unique(np.concatenate([labels, heads[1::2], [len(words) - start]]))
    lengths = parts[np.searchsorted(parts, labels, side="right")] - labels
    before = np.cumsum(lengths) - lengths
    places = np.repeat(labels - before + start, lengths) + np.arange(int(lengths.sum()))
    relabelled = words.copy()
    relabelled[places] = table[words[places]]
    return relabelled


def number_of_blocks(size: Vec, block: Vec) -> int:
    """How many blocks an array of this size is packed into."""
    return math.prod(-(-n // b) for n, b in zip(size, block, strict=True))
