"""What can be said of a skeleton in numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.skeleton.components import cable_length, number_components
from teravox.kernels.skeleton.distinct import distinct_edges
from teravox.kernels.skeleton.skeleton import Edges

Values = NDArray[np.floating[Any]]


class Measures(NamedTuple):
    """The measures of a skeleton; lengths and radii in the unit of its vertices, and NaN where there is no radius."""

    vertices: int
    edges: int
    components: int
    loops: int
    terminals: int  # vertices of a single edge
    branch_points: int  # vertices of three edges or more
    cable_length: float
    mean_radius: float  # of the vertices
    min_radius: float
    max_radius: float


def measure(vertices: Values, edges: Edges, radius: Values | None) -> Measures:
    """The measures of a skeleton; an edge that is said twice counts once."""
    count = len(vertices)
    pairs = distinct_edges(edges)
    _, components = number_components(pairs, count)
    degrees = np.bincount(pairs.ravel(), minlength=count)
    known = np.empty(0) if radius is None else radius.astype(np.float64)
    mean, low, high = (known.mean(), known.min(), known.max()) if len(known) else (np.nan, np.nan, np.nan)
    return Measures(
        vertices=count,
        edges=len(pairs),
        components=components,
        loops=len(pairs) - (count - components),
        terminals=int((degrees == 1).sum()),
        branch_points=int((degrees > 2).sum()),
        cable_length=cable_length(vertices.astype(np.float64), pairs),
        mean_radius=float(mean),
        min_radius=float(low),
        max_radius=float(high),
    )
