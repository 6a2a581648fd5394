"""The edges of a skeleton, each once."""

from __future__ import annotations

import numpy as np

from teravox.kernels.skeleton.skeleton import Edges


def distinct_edges(edges: Edges) -> Edges:
    """The edges, from their lower vertex and in order, without those from a vertex to itself."""
    low, high = np.sort(edges[edges[:, 0] != edges[:, 1]].astype(np.uint64), axis=1).T
    pairs = np.unique(low << np.uint64(32) | high)
    return np.stack([pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32)
