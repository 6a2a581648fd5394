"""Draws what was traced within a soma together to its center, as TEASAR does with a soma that lies in one piece."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.scratch import IN_MEMORY, Scratch, doubles, longs, numbered
from teravox.kernels.skeleton.components import Points, number_parts, square_of
from teravox.kernels.skeleton.cover import Radius
from teravox.kernels.skeleton.skeleton import Edges
from teravox.kernels.skeleton.weld import edges_once

NONE = -1


class Soma(NamedTuple):
    """What a soma is; lengths in nanometres."""

    accept: float  # a component has one where a radius is larger
    scale: float  # its ball is `scale` times the radius ...
    const: float  # ... and so much


def contract_somata(points: Points, edges: Edges, radius: Radius, soma: Soma, scratch: Scratch = IN_MEMORY) -> Edges:
    """The edges where, in each component, those of the soma's ball lead straight to the vertex of the largest radius.

    What else lay in the ball has no edges afterwards. Pieces that a soma fills are traced from side to side, each with
    paths of its own, which no later step could tell from branches.
    """
    if not len(edges) or radius.max() <= soma.accept:
        return edges
    component, count = number_parts(edges, len(points), scratch)
    centers = _centers(radius, component, count, soma.accept, scratch)
    reach = doubles(scratch, count)
    for part in np.flatnonzero(centers != NONE):
        reach[part] = (soma.scale * radius[centers[part]] + soma.const) ** 2
    drawn: Edges = edges_once(edges, _draw(points, component, centers, reach, scratch), scratch)
    return drawn


@compiled
def _centers(
    radius: Radius, component: NDArray[np.int64], count: int, accept: float, scratch: Scratch
) -> NDArray[np.int64]:
    """The vertex of the largest radius of each component that has a soma, the lowest of several; else NONE."""
    centers = longs(scratch, count)
    centers[:] = NONE
    for v in range(len(radius)):
        if radius[v] > accept and (centers[component[v]] == NONE or radius[v] > radius[centers[component[v]]]):
            centers[component[v]] = v
    return centers


@compiled
def _draw(
    points: Points,
    component: NDArray[np.int64],
    centers: NDArray[np.int64],
    reach: NDArray[np.float64],
    scratch: Scratch,
) -> NDArray[np.int64]:
    """By vertex the center in whose ball it lies, of which `reach` is the square of the radius; itself where there is none."""
    into = numbered(scratch, len(points))
    for v in range(len(points)):
        center = centers[component[v]]
        if center != NONE and square_of(points, v, center) <= reach[component[v]]:
            into[v] = center
    return into
