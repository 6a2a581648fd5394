"""Marches through numbered voxels once, and puts every vertex and face where it belongs at once.

It makes what `marching.py` makes, several times as fast. What a cube of eight voxels gets is what zmesh gives it.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.mesh.face_order import sort_faces
from teravox.kernels.mesh.surface import Surface

Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z
Numbers = NDArray[np.int64]
Planes = NDArray[np.uint32]

_END = -1


class Marched(NamedTuple):
    """The surfaces of several numbers; those of the others were left out."""

    vertices: NDArray[np.int32]
    faces: NDArray[np.uint32]
    first_vertex: Numbers  # by number
    first_face: Numbers
    used_vertices: Numbers
    used_faces: Numbers

    def surface(self, number: int) -> Surface:
        """The surface of a number, in canonical order."""
        v, f = int(self.first_vertex[number]), int(self.first_face[number])
        vertices = self.vertices[v : v + int(self.used_vertices[number])]
        return Surface(vertices.copy(), sort_faces(self.faces[f : f + int(self.used_faces[number])], len(vertices)))


def march_numbers(voxels: Voxels, crossings: Numbers, wanted: Numbers) -> Marched:
    """The surfaces of the wanted numbers; `crossings` has the vertices of each, as `count_crossings` says.

    The center of the first voxel is at 0, and coordinates are half voxels.
    """
    triangles, most = _table()
    first_vertex, first_face = (np.full(len(crossings), -1, np.int64) for _ in range(2))
    counts = crossings[wanted]
    first_vertex[wanted] = np.cumsum(counts) - counts
    room = np.ceil(counts * most).astype(np.int64)
    first_face[wanted] = np.cumsum(room) - room
    vertices = np.empty((int(counts.sum()), 3), np.int32)
    faces = np.empty((int(room.sum()), 3), np.uint32)
    used_vertices, used_faces = (np.zeros(len(crossings), np.int64) for _ in range(2))
    _march(voxels, triangles, first_vertex, first_face, used_vertices, used_faces, vertices, faces)
    return Marched(vertices, faces, first_vertex, first_face, used_vertices, used_faces)


@functools.cache
def _table() -> tuple[NDArray[np.int8], float]:
    """For each set of the eight corners the edges that its triangles have as corners; and the most faces of a vertex.

    Corner x + 2 y + 4 z of a cube is in the set if its bit is set. The edge along axis a is number 4 a + u + 2 v, where u
    and v are its places on the other two axes, in order.
    """
    import zmesh

    triangles = np.full((256, 16), _END, np.int8)
    most = 0.0
    for corners in range(1, 255):
        cube = np.array([corners >> bit & 1 for bit in range(8)], np.uint8).reshape((2, 2, 2), order="F")
        mesher = zmesh.Mesher((1, 1, 1))
        mesher.mesh(np.asfortranarray(cube))
        mesh = mesher.get(1, normals=False, reduction_factor=0)
        places = np.rint(mesh.vertices * 2).astype(int)
        edges = []
        for place in places:
            axis = int(np.flatnonzero(place == 1)[0])
            u, v = (int(place[other]) // 2 for other in (0, 1, 2) if other != axis)
            edges.append(4 * axis + u + 2 * v)
        listed = [edges[at] for at in mesh.faces.reshape(-1)]
        triangles[corners, : len(listed)] = listed
        most = max(most, len(mesh.faces) / len(places))
    return triangles, 4 * most  # an edge has four cubes around it


@compiled
def _put(  # pragma: no cover - compiled
    low: int,
    high: int,
    x: int,
    y: int,
    z: int,
    first: Numbers,
    used: Numbers,
    vertices: NDArray[np.int32],
    place: Planes,
) -> None:
    """Give both ends of an edge their vertex, if they are wanted, and note their indices."""
    for side in range(2):
        number = low if side == 0 else high
        if first[number] >= 0:
            at = first[number] + used[number]
            vertices[at, 0], vertices[at, 1], vertices[at, 2] = x, y, z
            place[side] = used[number]
            used[number] += 1


@compiled
def _put_plane(  # pragma: no cover - compiled
    plane: Voxels,
    x: int,
    y_edges: Planes,
    z_edges: Planes,
    first: Numbers,
    used: Numbers,
    vertices: NDArray[np.int32],
) -> None:
    """The vertices between voxels of one plane across x, sorted."""
    ny, nz = plane.shape
    for y in range(ny):
        for z in range(nz - 1):
            if plane[y, z] != plane[y, z + 1]:
                _put(plane[y, z], plane[y, z + 1], x, 2 * y, 2 * z + 1, first, used, vertices, z_edges[y, z])
        if y + 1 < ny:
            for z in range(nz):
                if plane[y, z] != plane[y + 1, z]:
                    _put(plane[y, z], plane[y + 1, z], x, 2 * y + 1, 2 * z, first, used, vertices, y_edges[y, z])


@compiled
def _march(  # pragma: no cover - compiled
    voxels: Voxels,
    triangles: NDArray[np.int8],
    first_vertex: Numbers,
    first_face: Numbers,
    used_vertices: Numbers,
    used_faces: Numbers,
    vertices: NDArray[np.int32],
    faces: NDArray[np.uint32],
) -> None:
    nx, ny, nz = voxels.shape
    here, there = np.empty((ny, nz), voxels.dtype), np.empty((ny, nz), voxels.dtype)
    x_edges = np.zeros((ny, nz, 2), np.uint32)  # by place and by end of the edge: the index of the vertex there
    y_here, y_there, z_here, z_there = (
        np.zeros((ny, nz, 2), np.uint32),
        np.zeros((ny, nz, 2), np.uint32),
        np.zeros((ny, nz, 2), np.uint32),
        np.zeros((ny, nz, 2), np.uint32),
    )
    corners = np.empty(8, np.int64)
    for z in range(nz):
        for y in range(ny):
            there[y, z] = voxels[0, y, z]
    _put_plane(there, 0, y_there, z_there, first_vertex, used_vertices, vertices)
    for x in range(nx - 1):
        here, there = there, here
        y_here, y_there = y_there, y_here
        z_here, z_there = z_there, z_here
        for z in range(nz):
            for y in range(ny):
                there[y, z] = voxels[x + 1, y, z]
        for y in range(ny):
            for z in range(nz):
                if here[y, z] != there[y, z]:
                    _put(
                        here[y, z],
                        there[y, z],
                        2 * x + 1,
                        2 * y,
                        2 * z,
                        first_vertex,
                        used_vertices,
                        vertices,
                        x_edges[y, z],
                    )
        _put_plane(there, 2 * x + 2, y_there, z_there, first_vertex, used_vertices, vertices)
        for y in range(ny - 1):
            for z in range(nz - 1):
                a = here[y, z]
                if (
                    a == there[y, z]
                    and a == here[y + 1, z]
                    and a == there[y + 1, z]
                    and a == here[y, z + 1]
                    and a == there[y, z + 1]
                    and a == here[y + 1, z + 1]
                    and a == there[y + 1, z + 1]
                ):
                    continue
                corners[0], corners[1] = a, there[y, z]
                corners[2], corners[3] = here[y + 1, z], there[y + 1, z]
                corners[4], corners[5] = here[y, z + 1], there[y, z + 1]
                corners[6], corners[7] = here[y + 1, z + 1], there[y + 1, z + 1]
                done = 0
                for corner in range(8):
                    if done >> corner & 1:
                        continue
                    number = corners[corner]
                    inside = 0
                    for other in range(corner, 8):
                        if corners[other] == number:
                            inside |= 1 << other
                    done |= inside
                    if first_face[number] < 0:
                        continue
                    at = 0
                    while triangles[inside, at] >= 0:
                        face = first_face[number] + used_faces[number]
                        for k in range(3):
                            edge = triangles[inside, at + k]
                            u, v = edge & 1, edge >> 1 & 1
                            if edge < 4:  # along x: u is y, v is z
                                side = 0 if inside >> (2 * u + 4 * v) & 1 else 1
                                index = x_edges[y + u, z + v, side]
                            elif edge < 8:  # along y: u is x, v is z
                                side = 0 if inside >> (u + 4 * v) & 1 else 1
                                index = y_there[y, z + v, side] if u else y_here[y, z + v, side]
                            else:  # along z: u is x, v is y
                                side = 0 if inside >> (u + 2 * v) & 1 else 1
                                index = z_there[y + v, z, side] if u else z_here[y + v, z, side]
                            faces[face, k] = index
                        a0, a1, a2 = faces[face, 0], faces[face, 1], faces[face, 2]
                        if a1 < a0 and a1 < a2:
                            faces[face, 0], faces[face, 1], faces[face, 2] = a1, a2, a0
                        elif a2 < a0 and a2 < a1:
                            faces[face, 0], faces[face, 1], faces[face, 2] = a2, a0, a1
                        used_faces[number] += 1
                        at += 3
