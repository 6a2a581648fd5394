"""What two blocks say of the voxels that both have seen, as a table from which any rule can decide.

A label may enter the overlap in several places that are joined elsewhere; each connected piece of it is a unit of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.stitching.counting import Plane, count_pieces, count_shared
from teravox.kernels.stitching.pieces import Pieces, find_pieces
from teravox.kernels.stitching.runs import Labels, Runs, find_runs

Counts = NDArray[np.uint32]


class Units(NamedTuple):
    """The pieces of one block's labels in an overlap, sorted by label."""

    labels: NDArray[np.uint32]
    voxels: Counts  # in the overlap
    middle: Counts  # of these, in the first plane of the upper block's core


class Overlap(NamedTuple):
    """The table of one face: its units, and how many voxels two of them share."""

    low: Units  # of the lower block
    high: Units
    first: NDArray[np.uint32]  # of each pair, the place of its unit in `low`; pairs are sorted by it, ...
    second: NDArray[np.uint32]  # ... then by that in `high`
    shared: Counts  # voxels, by pair
    shared_middle: Counts  # of these, in the middle plane
    low_touching: NDArray[np.uint32]  # pairs of labels of the lower block that share faces of voxels, the smaller first
    high_touching: NDArray[np.uint32]


def tabulate(low: Labels, high: Labels, axis: int, middle: int) -> Overlap:
    """The table of an overlap: the labels of the lower and of the upper block, and where along `axis` the middle plane is."""
    return tabulate_runs(find_runs(low), find_runs(high), low.shape, axis, middle)


def tabulate_runs(low: Runs, high: Runs, size: tuple[int, ...], axis: int, middle: int) -> Overlap:
    """The same of labels as runs, in an overlap of this size."""
    plane = Plane(axis, middle)
    nx, ny, _ = size
    low_pieces, high_pieces = find_pieces(low, ny), find_pieces(high, ny)
    shared = count_shared(low, low_pieces.of_runs, high, high_pieces.of_runs, nx, ny, plane)
    return Overlap(
        _units(low, low_pieces, nx, ny, plane),
        _units(high, high_pieces, nx, ny, plane),
        *shared,
        low_pieces.touching,
        high_pieces.touching,
    )


def _units(runs: Runs, pieces: Pieces, nx: int, ny: int, plane: Plane) -> Units:
    return Units(pieces.labels, *count_pieces(runs, pieces.of_runs, len(pieces.labels), nx, ny, plane))
