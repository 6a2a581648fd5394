"""Labels that would join two of the other block which touch each other: there is a border which one of the blocks has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint32]


def find_bridges(labels: Labels, partners: Labels, touching: NDArray[np.uint32]) -> Labels:
    """The labels that are joined with both of two partners which touch; `labels` and `partners` are the pairs."""
    keys = np.unique(partners.astype(np.uint64) << np.uint64(32) | labels)
    by_partner = (keys >> np.uint64(32)).astype(np.uint32)
    starts = np.searchsorted(by_partner, touching[:, 0])
    lengths = np.searchsorted(by_partner, touching[:, 0], side="right") - starts
    row = np.repeat(np.arange(len(touching)), lengths)  # of touching, once for each label of its first partner
    places = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + starts[row]
    joined = keys[places] & np.uint64(0xFFFFFFFF)
    both = np.isin(touching[row, 1].astype(np.uint64) << np.uint64(32) | joined, keys)
    return np.unique(joined[both]).astype(np.uint32)
