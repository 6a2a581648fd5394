"""Draws what was traced within a soma together to its center, as TEASAR does with a soma that lies in one piece."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.skeleton.branches import in_order
from teravox.kernels.skeleton.components import Points, number_components
from teravox.kernels.skeleton.cover import Radius
from teravox.kernels.skeleton.skeleton import Edges


class Soma(NamedTuple):
    """What a soma is; lengths in nanometres."""

    accept: float  # a component has one where a radius is larger
    scale: float  # its ball is `scale` times the radius ...
    const: float  # ... and so much


def contract_somata(points: Points, edges: Edges, radius: Radius, soma: Soma) -> Edges:
    """The edges where, in each component, those of the soma's ball lead straight to the vertex of the largest radius.

    What else lay in the ball has no edges afterwards. Pieces that a soma fills are traced from side to side, each with
    paths of its own, which no later step could tell from branches.
    """
    if not len(edges) or radius.max() <= soma.accept:
        return edges
    component, _ = number_components(edges, len(points))
    into = np.arange(len(points))
    for center in _centers(radius, component, soma.accept):
        near = np.square(points - points[center]).sum(axis=1) <= (soma.scale * radius[center] + soma.const) ** 2
        into[near & (component == component[center])] = center
    drawn = in_order(into[edges])
    differs = drawn[:, 0] != drawn[:, 1]
    first = np.ones(len(drawn), np.bool_)
    first[1:] = (drawn[1:] != drawn[:-1]).any(axis=1)
    kept: Edges = drawn[differs & first]
    return kept


def _centers(radius: Radius, component: NDArray[np.int64], accept: float) -> list[int]:
    """The vertex of the largest radius of each component that has a soma; the lowest of several."""
    large = np.flatnonzero(radius > accept)
    order = large[np.lexsort((large, -radius[large], component[large]))]
    first = np.ones(len(order), np.bool_)
    first[1:] = component[order[1:]] != component[order[:-1]]
    return [int(vertex) for vertex in order[first]]
