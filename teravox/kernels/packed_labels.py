"""Gives packed labels other values, without unpacking them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compresso_format import LESS, SAID, SIZE, read_header

Words = NDArray[np.uint32]
Table = NDArray[Any]  # uint32 or uint64: what becomes of each label
Vec = tuple[int, int, int]


def relabel_blocks(words: Words, blocks: int, table: NDArray[np.uint32]) -> Words:
    """The words of one channel of uint32 labels as compressed_segmentation, each label replaced by what the table has at its place.

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


def relabel_compresso(data: bytes, table: Table) -> bytes | None:
    """The same for compresso data of sound uint32 labels; None where a label cannot be told from the words of the format.

    They are the bytes that packing makes of the labels of the table, where that has another one for each.
    """
    head = read_header(data)
    ids = np.frombuffer(data, "<u4", head.ids, SIZE)
    begin = SIZE + ids.nbytes
    end = begin + head.values * head.window_width
    said = np.frombuffer(data, "<u4", head.locations, end)
    if (said == SAID).any():
        return None
    are_labels = said >= LESS
    labels = table[said[are_labels] - np.uint32(LESS)]
    if labels.max(initial=0) > np.iinfo(table.dtype).max - LESS:
        return None
    relabelled = said.astype(table.dtype)
    relabelled[are_labels] = labels + table.dtype.type(LESS)
    head = head._replace(data_width=table.itemsize)
    return b"".join(
        [head.pack(), table[ids].tobytes(), data[begin:end], relabelled.tobytes(), data[end + said.nbytes :]]
    )
