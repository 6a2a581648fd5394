"""How one skeleton differs from another of the same label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from skeletons.quality import Skeleton, facts_of


class Difference(NamedTuple):
    """What is said of the first against the second."""

    cable: float  # how much longer, as a share
    terminals: tuple[int, int]
    branch_points: tuple[int, int]
    apart: float  # nanometres from a vertex of one to the nearest of the other, where that is most
    ends_apart: float  # the same for the ends


def compare(one: Skeleton, other: Skeleton) -> Difference:
    first, second = facts_of(one), facts_of(other)
    return Difference(
        cable=first.cable / second.cable - 1 if second.cable else float(first.cable > 0),
        terminals=(first.terminals, second.terminals),
        branch_points=(first.branch_points, second.branch_points),
        apart=_apart(one.vertices, other.vertices),
        ends_apart=_apart(_ends(one), _ends(other)),
    )


def _ends(skeleton: Skeleton) -> NDArray[np.float64]:
    arms = np.bincount(skeleton.edges.ravel(), minlength=len(skeleton.vertices))
    return skeleton.vertices[arms <= 1]


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    from scipy.spatial import cKDTree

    if not len(one) or not len(other):
        return 0.0 if len(one) == len(other) else float("inf")
    there = cKDTree(other).query(one)[0].max()
    back = cKDTree(one).query(other)[0].max()
    return float(max(there, back))
