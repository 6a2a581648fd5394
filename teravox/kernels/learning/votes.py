"""Which class a supervoxel has, by its labelled voxels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.clusters import Clusters


class Votes(NamedTuple):
    """The supervoxels with a labelled voxel."""

    places: NDArray[np.int64]  # of the supervoxels, counted from 0
    classes: NDArray[np.int64]  # of each, counted from 0: the one with the most voxels, the first of equal ones
    voxels: NDArray[np.int64]  # of each: how many are labelled
    overruled: NDArray[np.int64]  # of each: how many of these have another class


def count_votes(supervoxels: Clusters, number: int, labels: NDArray[np.uint8], classes: int) -> Votes:
    """Let the labelled voxels, numbered by class from 1, 0 where they say nothing, vote for the class of their supervoxel."""
    said = labels != 0
    ballots = (supervoxels[said].astype(np.int64) - 1) * classes + (labels[said] - 1)
    counts = np.bincount(ballots, minlength=number * classes).reshape(number, classes)
    voxels = counts.sum(axis=1)
    places = np.flatnonzero(voxels)
    counts, voxels = counts[places], voxels[places]
    return Votes(places, counts.argmax(axis=1), voxels, voxels - counts.max(axis=1, initial=0))
