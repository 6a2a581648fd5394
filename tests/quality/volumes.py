"""Volumes of labels with and without seams."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Labels = NDArray[Any]


def cells(size: int, number: int, seed: int = 0) -> Labels:
    """Cells around random points, with a background between some; x, y, z and channel."""
    points = np.random.default_rng(seed).uniform(0, size, (number, 3))
    grid = np.stack(np.meshgrid(*(np.arange(size),) * 3, indexing="ij"), axis=-1)
    found: Any = cKDTree(points).query(grid, k=2)  # Any: scipy's types say less than it gives
    gaps, nearest = np.asarray(found[0]), np.asarray(found[1])
    labels = np.where(gaps[..., 1] - gaps[..., 0] > 1, nearest[..., 0] + 1, 0)
    return np.asfortranarray(labels[..., None].astype(np.uint64))


def cut(labels: Labels, side: int) -> Labels:
    """The same, with labels of their own in each piece of that side."""
    places: Labels = np.indices(labels.shape[:3]) // side
    x, y, z = places
    piece = (x + 100 * y + 10_000 * z)[..., None].astype(np.uint64)
    return np.asfortranarray(np.where(labels > 0, labels + piece * np.uint64(100_000), 0))


def share_cut(labels: Labels, axis: int, at: int) -> tuple[int, int]:
    """Pairs across a plane that differ, and those that have a label; by the definition."""
    below, above = (np.take(labels[..., 0], place, axis).ravel() for place in (at - 1, at))
    labelled = (below > 0) | (above > 0)
    return int((below[labelled] != above[labelled]).sum()), int(labelled.sum())


def score_of(labels: Labels, borders: list[int], insides: list[int]) -> float:
    """The score of seams by its definition; borders are at the same places on all axes, each between two of the insides."""
    found = expected = 0.0
    for axis in range(3):
        shares = [hits / of for hits, of in (share_cut(labels, axis, at) for at in insides)]
        for border, (below, above) in zip(borders, pairwise(shares), strict=True):
            hits, of = share_cut(labels, axis, border)
            found += hits
            expected += of * (below + above) / 2
    return found / expected
