"""What is measured of a skeleton by itself, and what kimimaro makes of the whole volume, to which it is held."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vec = tuple[int, int, int]
Resolution = tuple[float, float, float]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SCALE, CONST = 4.0, 10.0  # nanometres: what the commands have as defaults


class Skeleton(NamedTuple):
    """Vertices (n, 3) and their radii (n,) in nanometres, and edges as indices of vertices (m, 2)."""

    vertices: Floats
    edges: Integers
    radius: Floats


class Facts(NamedTuple):
    """What says whether a skeleton is one that a person can use."""

    vertices: int
    cable: float  # nanometres
    terminals: int
    branch_points: int
    components: int  # a vertex without edges is one
    loops: int  # edges that are more than a forest needs; one that is there twice is one too many


def facts_of(skeleton: Skeleton) -> Facts:
    count, _ = components_of(skeleton)
    arms = np.bincount(skeleton.edges.ravel(), minlength=len(skeleton.vertices))
    return Facts(
        vertices=len(skeleton.vertices),
        cable=cable_of(skeleton),
        terminals=int((arms == 1).sum()),
        branch_points=int((arms > 2).sum()),
        components=count,
        loops=len(skeleton.edges) - len(skeleton.vertices) + count,
    )


def cable_of(skeleton: Skeleton) -> float:
    return float(_lengths(skeleton).sum())


def components_of(skeleton: Skeleton) -> tuple[int, Integers]:
    """How many connected parts there are, and the part of each vertex."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(skeleton.vertices)
    if not size:
        return 0, np.zeros(0, np.int64)
    links = coo_array((np.ones(len(skeleton.edges), bool), tuple(skeleton.edges.T)), shape=(size, size))
    count, part = connected_components(links, directed=False)
    return int(count), part.astype(np.int64)


def drop_short(skeleton: Skeleton, least: float) -> Skeleton:
    """Without the connected parts whose cable is shorter than this, as a merge leaves them out."""
    count, part = components_of(skeleton)
    if not len(skeleton.edges):
        keep = np.zeros(len(skeleton.vertices), bool) if least > 0 else np.ones(len(skeleton.vertices), bool)
    else:
        cables = np.bincount(part[skeleton.edges[:, 0]], _lengths(skeleton), count)
        keep = cables[part] >= least
    number = np.cumsum(keep) - 1
    edges = skeleton.edges[keep[skeleton.edges[:, 0]]] if len(skeleton.edges) else skeleton.edges
    return Skeleton(skeleton.vertices[keep], number[edges], skeleton.radius[keep])


def whole_skeletons(  # of kimimaro, which cuts nothing here
    voxels: NDArray[Any],
    resolution: Resolution,
    offset: Vec = (0, 0, 0),
    *,
    dust: int = 1000,
    scale: float = SCALE,
    const: float = CONST,
) -> dict[int, Skeleton]:
    """The skeletons of all labels of an array of x, y, z, each of its connected components larger than the dust.

    Labels that have only dust are not among them.
    """
    import kimimaro

    names, small = np.unique(voxels, return_inverse=True)
    small = np.asfortranarray(small.reshape(voxels.shape).astype(np.uint32) + np.uint32(names[0] != 0))
    made = kimimaro.skeletonize(
        small,
        teasar_params={
            "scale": scale,
            "const": const,
            "pdrf_scale": 100_000,
            "pdrf_exponent": 4,
            "soma_acceptance_threshold": 3500,
            "soma_detection_threshold": 1100,
            "soma_invalidation_const": 300,
            "soma_invalidation_scale": 1.0,
        },
        anisotropy=resolution,
        dust_threshold=dust,
        fix_borders=False,
        progress=False,
    )
    shift = (np.array(offset) + 0.5) * resolution
    return {
        int(names[number - int(names[0] != 0)]): Skeleton(
            found.vertices.astype(np.float64) + shift, found.edges.astype(np.int64), found.radius.astype(np.float64)
        )
        for number, found in sorted(made.items())
    }


def _lengths(skeleton: Skeleton) -> Floats:
    a, b = skeleton.vertices[skeleton.edges].transpose(1, 0, 2) if len(skeleton.edges) else np.zeros((2, 0, 3))
    found: Floats = np.linalg.norm(a - b, axis=1)
    return found
