"""What a path costs in each voxel of a component."""

from __future__ import annotations

import numpy as np

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.calendar import BUCKETS
from teravox.kernels.skeleton.lattice import Lengths, Places


@compiled
def price(
    places: Places, radii: Lengths, largest: float, distance: Lengths, scale: float, exponent: float, costs: Lengths
) -> float:
    """Write what each voxel costs a path: little in the middle of the component, much at its boundary.

    As much as voxels are far from the root they cost a bit more, so that paths in open spaces don't stray.
    Returns how wide buckets of costs should be.
    """
    deepest = np.float32(1 / largest**1.01)
    furthest = np.float32(0)
    for place in places:
        furthest = max(furthest, distance[place])
    share = np.float32(1 / furthest) if furthest > 0 else np.float32(0)
    doublings = 0
    while 2**doublings < exponent:
        doublings += 1
    is_power = 2**doublings == exponent
    least = np.float32(np.inf)
    most = np.float32(0)
    for i in range(len(places)):
        cost = max(np.float32(1) - radii[i] * deepest, np.float32(0))
        if is_power:
            for _ in range(doublings):
                cost *= cost
        else:
            cost = np.float32(cost ** np.float32(exponent))
        cost = cost * np.float32(scale) + distance[places[i]] * share
        costs[places[i]] = cost
        least = min(least, cost)
        most = max(most, cost)
    return float(max(least, most / (BUCKETS - 2), np.float32(1e-20)))
