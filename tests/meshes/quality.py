"""What is measured of a mesh, and the surface that it is held to: zmesh's of the whole volume, unsimplified."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import trimesh
from meshes.distance import Floats, nearest
from numpy.typing import NDArray

Vec = tuple[int, int, int]
Resolution = tuple[float, float, float]


class Mesh(NamedTuple):
    """Vertices in nanometres (n, 3), and faces as indices of them (m, 3)."""

    vertices: Floats
    faces: NDArray[np.int64]


class Facts(NamedTuple):
    """What says whether a mesh is one that a person can use."""

    faces: int
    is_volume: bool  # closed, and turned outwards everywhere, as trimesh sees it
    euler: int
    volume: float  # cubic nanometres
    open_edges: int  # edges of only one face


class Deviation(NamedTuple):
    """How far two surfaces are from each other, in nanometres, over samples of equal area on both."""

    median: float
    p99: float
    most: float


def whole_meshes(
    voxels: NDArray[Any], resolution: Resolution, offset: Vec = (0, 0, 0), *, close: bool = True
) -> Iterator[tuple[int, Mesh]]:
    """The unsimplified surface of every label of an array of x, y, z, in ascending order, and closed at its edges.

    Voxel i covers [i, i + 1), and `offset` is that of the first one.
    """
    import zmesh

    names, small = np.unique(voxels, return_inverse=True)
    small = small.reshape(voxels.shape).astype(np.uint32) + (names[0] != 0)
    border = int(close)
    mesher = zmesh.Mesher((1, 1, 1))
    mesher.mesh(np.asfortranarray(np.pad(small, border)))
    for number in sorted(mesher.ids()):
        found = mesher.get(number, normals=False, reduction_factor=0)
        mesher.erase(number)
        corners = found.vertices.astype(np.float64) + (np.array(offset) - border + 0.5)
        yield int(names[number - (names[0] != 0)]), Mesh(corners * resolution, found.faces.astype(np.int64))
    mesher.clear()


def weld(mesh: Mesh, within: float) -> Mesh:
    """Makes vertices that are nearer than this to each other one; faces that this leaves without area are dropped."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    places, number = np.unique(mesh.vertices, axis=0, return_inverse=True)
    pairs = cKDTree(places).query_pairs(within, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(places), len(places)))
    count, group = connected_components(links, directed=False)
    vertices = np.zeros((count, 3))
    vertices[group] = places
    faces = group[number.reshape(-1)[mesh.faces]].astype(np.int64)
    flat = (faces == np.roll(faces, 1, axis=1)).any(axis=1)
    return Mesh(vertices, faces[~flat])


def facts_of(mesh: Mesh) -> Facts:
    """By trimesh; vertices count as one only where they are one already: weld first."""
    made = trimesh.Trimesh(mesh.vertices - mesh.vertices.mean(axis=0), mesh.faces, process=False, validate=False)
    shared = np.bincount(made.edges_unique_inverse)
    with np.errstate(divide="ignore", invalid="ignore"):  # the center of nothing is nowhere
        is_volume, volume = bool(made.is_volume), float(made.volume)
    return Facts(len(mesh.faces), is_volume, int(made.euler_number), volume, int((shared == 1).sum()))


def triangles_of(mesh: Mesh) -> Floats:
    return mesh.vertices[mesh.faces]


def area(mesh: Mesh) -> float:
    return float(_areas(triangles_of(mesh)).sum())


def deviations(mesh: Mesh, other: Mesh, samples: int, *, seed: int = 0) -> Floats:
    """Distances of this many points on each of both surfaces to the other one."""
    random = np.random.default_rng(seed)
    a, b = triangles_of(mesh), triangles_of(other)
    return np.concatenate([nearest(_scatter(a, samples, random), b), nearest(_scatter(b, samples, random), a)])


def deviation(mesh: Mesh, other: Mesh, samples: int = 2000) -> Deviation:
    found = deviations(mesh, other, samples)
    return Deviation(float(np.median(found)), float(np.percentile(found, 99)), float(found.max()))


def _scatter(triangles: Floats, count: int, random: np.random.Generator) -> Floats:
    """Points that lie on the surface as dense everywhere."""
    sums = np.cumsum(_areas(triangles))
    chosen = triangles[np.searchsorted(sums, random.random(count) * sums[-1])]
    u, v = random.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points: Floats = chosen[:, 0] + u * (chosen[:, 1] - chosen[:, 0]) + v * (chosen[:, 2] - chosen[:, 0])
    return points


def _areas(triangles: Floats) -> Floats:
    twice = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    areas: Floats = np.linalg.norm(twice, axis=1) / 2
    return areas
