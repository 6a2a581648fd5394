"""Measures the areas of a label across its skeleton."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.skeleton import Edges, Skeleton

Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z, in Fortran order
Rows = NDArray[np.intp]
Areas = NDArray[np.float32]
Sides = NDArray[np.uint8]
Step = tuple[float, float, float]


def measure_areas(
    voxels: Voxels, number: int, skeleton: Skeleton, rows: Rows, normals: NDArray[np.float64], step: Step
) -> tuple[Areas, Sides]:
    """The area, in square nanometres, of the number's section through each of these vertices, across its normal.

    The section is what is connected to the vertex. With it comes which sides of the array it reaches, a bit for each:
    the lower end of x, its upper end, and so on. A vertex without a normal, or whose voxel is not of the number, has
    the area 0.
    """
    import xs3d

    areas, sides = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.uint8)
    places = skeleton.vertices[rows]
    across = normals * step  # across the section as xs3d sees it, which counts in voxels
    xs3d.set_shape(voxels)
    try:
        for at in np.flatnonzero(normals.any(axis=1)).tolist():
            if voxels[tuple(places[at])] == number:
                areas[at], sides[at] = xs3d.cross_sectional_area(
                    voxels, places[at], across[at], step, return_contact=True, use_persistent_data=True, segid=number
                )
    finally:
        xs3d.clear_shape()
    return areas, sides


def find_normals(skeleton: Skeleton, window: int, step: Step) -> NDArray[np.float64]:
    """The direction, in nanometres, in which the skeleton goes at each vertex, over about `window` edges.

    From a vertex it is followed both ways, as far as it does not branch. At a branch point, the way is that between the
    two thickest of its arms. A vertex alone has none.
    """
    starts, neighbours = _neighbours(skeleton.edges, len(skeleton.vertices))
    places = np.multiply(skeleton.vertices, step, dtype=np.float64)
    return _follow(starts, neighbours, places, skeleton.radius, max(1, window // 2))


def _neighbours(edges: Edges, vertices: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The neighbours of each vertex, one after another, and where those of each begin."""
    ends = np.concatenate([edges, edges[:, ::-1]]).astype(np.int64)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    starts = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(ends[:, 0], minlength=vertices), out=starts[1:])
    return starts, ends[order, 1]


@compiled
def _follow(  # pragma: no cover - compiled
    starts: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    places: NDArray[np.float64],
    radius: NDArray[np.float32],
    reach: int,
) -> NDArray[np.float64]:
    normals = np.zeros(places.shape, np.float64)
    for vertex in range(len(places)):
        first, second = np.int64(-1), np.int64(-1)  # the two neighbours of the largest radius
        for at in range(starts[vertex], starts[vertex + 1]):
            one = neighbours[at]
            if first < 0 or radius[one] > radius[first]:
                first, second = one, first
            elif second < 0 or radius[one] > radius[second]:
                second = one
        if first < 0:
            continue
        tips = np.array([vertex, vertex])
        for side in range(2):
            before, here = np.int64(vertex), first if side == 0 else second
            if here < 0:
                continue
            tips[side] = here
            for _ in range(reach - 1):
                if starts[here + 1] - starts[here] != 2:
                    break
                one = neighbours[starts[here]]
                before, here = here, neighbours[starts[here] + 1] if one == before else one
                tips[side] = here
        for axis in range(3):
            normals[vertex, axis] = places[tips[0], axis] - places[tips[1], axis]
        if normals[vertex, 0] == 0 and normals[vertex, 1] == 0 and normals[vertex, 2] == 0:  # it goes back on itself
            for axis in range(3):
                normals[vertex, axis] = places[first, axis] - places[vertex, axis]
    return normals
