"""Simplified surfaces: of the same topology, within their planes, and near the ones they come from."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.mesh.test_mesh_weld import cut, is_same
from kernels.mesh.volumes import Labels, Vec, blobs, closed, surfaces_of, torus, trimesh_of, volumes
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from teravox.kernels.mesh.closed import is_manifold, open_edges
from teravox.kernels.mesh.planes import LOCKED, Planes, planes_of
from teravox.kernels.mesh.simplify import simplify
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import canonical, weld

Floats = NDArray[np.float64]
Step = tuple[float, float, float]

STEP = (8.0, 8.0, 20.0)
steps = st.sampled_from([STEP, (1.0, 1.0, 1.0), (2.5, 700.0, 0.01)])
errors = st.sampled_from([0.0, 10.0, 40.0, 1e9])


class Shape(NamedTuple):
    euler: int
    pieces: int
    is_volume: bool
    is_watertight: bool
    is_winding_consistent: bool


def shape_of(surface: Surface) -> Shape:
    solid = trimesh_of(surface)
    return Shape(
        int(solid.euler_number),
        int(solid.body_count),
        bool(solid.is_volume),
        bool(solid.is_watertight),
        bool(solid.is_winding_consistent),
    )


def rims(surface: Surface) -> set[tuple[Vec, Vec]]:
    """The edges of one face, by the places of their ends."""
    edges = np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]])
    _, first, uses = np.unique(np.sort(edges, axis=1), axis=0, return_index=True, return_counts=True)
    return {(tuple(a), tuple(b)) for a, b in surface.vertices[edges[first[uses == 1]]].tolist()}


def places(surface: Surface) -> set[Vec]:
    return set(map(tuple, surface.vertices.tolist()))


def has_crossed(surface: Surface, planes: Planes) -> bool:
    """Whether a face has vertices on both sides of a plane."""
    corners = (surface.vertices - np.array(planes.origin))[surface.faces]
    low, high = corners.min(axis=1), corners.max(axis=1)
    return any(n and (-(-(high[:, axis]) // n) - low[:, axis] // n > 1).any() for axis, n in enumerate(planes.spacing))


def sampled(surface: Surface, step: Step, number: int, seed: int) -> Floats:
    """Places all over a surface."""
    rng = np.random.default_rng(seed)
    corners = (surface.vertices * np.array(step))[surface.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = corners[rng.choice(len(areas), number, p=areas / areas.sum())]
    a, b = rng.random((2, number, 1))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    return np.asarray(chosen[:, 0] * (1 - a - b) + chosen[:, 1] * a + chosen[:, 2] * b)


def distance(one: Surface, other: Surface, step: Step, percent: float) -> float:
    """How far most of one surface is from the other, a little too long."""
    away, _ = cKDTree(sampled(other, step, 100_000, 0)).query(sampled(one, step, 5_000, 1))
    return float(np.percentile(away, percent))


@given(labels=volumes(), step=steps, max_error=errors)
@settings(max_examples=80, deadline=None)
def test_the_topology_stays_the_same(labels: Labels, step: Step, max_error: float) -> None:
    for surface in surfaces_of(closed(labels)).values():
        simple = simplify(surface, step=step, max_error=max_error)
        assert shape_of(simple) == shape_of(surface)
        assert is_manifold(simple)
        assert places(simple) <= places(surface)
        assert is_same(canonical(simple), simple)
        assert 4 <= len(simple.faces) <= len(surface.faces)
        corners = simple.vertices[simple.faces].astype(np.int64)
        assert np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).any(axis=1).all()


@given(labels=volumes(), max_error=errors, within=st.tuples(*[st.integers(0, 4)] * 3), origin=st.integers(-5, 5))
@settings(max_examples=80, deadline=None)
def test_no_face_crosses_a_plane_and_what_is_locked_stays(
    labels: Labels, max_error: float, within: Vec, origin: int
) -> None:
    planes = Planes((2 * origin,) * 3, (2 * within[0], 2 * within[1], 2 * within[2]))
    locked = Planes((2 * origin,) * 3, (0, 4 * within[1], 4 * within[2]))
    for surface in surfaces_of(closed(labels)).values():
        masks = planes_of(surface.vertices, within=planes, locked=locked)
        simple = simplify(surface, step=STEP, max_error=max_error, planes=masks)
        assert shape_of(simple) == shape_of(surface)
        assert not has_crossed(surface, planes)
        assert not has_crossed(simple, planes)
        assert places(simple) >= set(map(tuple, surface.vertices[masks >= LOCKED].tolist()))


@given(labels=volumes(), max_error=errors)
@settings(max_examples=40, deadline=None)
def test_the_edges_of_an_open_surface_stay(labels: Labels, max_error: float) -> None:
    for surface in surfaces_of(labels).values():
        simple = simplify(surface, step=STEP, max_error=max_error)
        assert rims(simple) == rims(surface)
        assert open_edges(simple) == open_edges(surface)
        assert shape_of(simple) == shape_of(surface)


@given(
    labels=volumes(),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    max_error=errors,
    cell=st.integers(1, 3),
    merge_error=errors,
)
@settings(max_examples=80, deadline=None)
def test_simplified_pieces_fit_together(
    labels: Labels, shape: Vec, max_error: float, cell: int, merge_error: float
) -> None:
    labels = closed(labels)
    whole = surfaces_of(labels)
    locked = Planes((0, 0, 0), (2 * shape[0], 2 * shape[1], 2 * shape[2]))
    cells = Planes((0, 0, 0), (2 * cell,) * 3)
    for label, parts in cut(labels, shape).items():
        simple = [
            simplify(
                part,
                step=STEP,
                max_error=max_error,
                planes=planes_of(part.vertices, within=cells, locked=locked),
            )
            for part in parts
        ]
        welded = weld(simple)
        assert is_manifold(welded)
        assert shape_of(welded) == shape_of(whole[label])
        again = simplify(welded, step=STEP, max_error=merge_error)
        assert shape_of(again) == shape_of(whole[label])


@given(labels=volumes(), far=st.tuples(*[st.integers(-(2**30), 2**30)] * 3))
@settings(max_examples=30, deadline=None)
def test_the_result_is_the_same_anywhere_and_every_time(labels: Labels, far: Vec) -> None:
    for surface in surfaces_of(closed(labels)).values():
        simple = simplify(surface, step=STEP, max_error=40)
        assert is_same(simplify(surface, step=STEP, max_error=40), simple)
        assert is_same(simplify(surface.moved(far), step=STEP, max_error=40), simple.moved(far))


@pytest.mark.parametrize(("step", "max_error"), [(STEP, 5.0), (STEP, 40.0), ((8.0, 8.0, 8.0), 20.0)])
def test_the_surface_is_within_the_error_of_the_one_it_comes_from(step: Step, max_error: float) -> None:
    for surface in surfaces_of(closed(blobs((40, 36, 20), 3, 3, roughness=0.02))).values():
        simple = simplify(surface, step=step, max_error=max_error)
        near = distance(surface, surface, step, 99)  # what the samples add
        assert distance(simple, surface, step, 99) < max_error + near
        assert distance(surface, simple, step, 99) < max_error + near
        assert len(simple.faces) < len(surface.faces) / (1.2 if max_error == 5 else 4)


def test_volumes_stay() -> None:
    for surface in surfaces_of(closed(blobs((40, 36, 20), 4, 3, roughness=0.0))).values():
        solid, simple = trimesh_of(surface, STEP), trimesh_of(simplify(surface, step=STEP, max_error=40), STEP)
        assert simple.volume == pytest.approx(solid.volume, rel=0.01)


def test_flat_faces_need_few_vertices_and_lose_nothing() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[2:18, 3:17, 4:16] = 1
    surface = surfaces_of(labels)[1]
    simple = simplify(surface, step=STEP, max_error=1e-3)
    assert trimesh_of(simple).volume == pytest.approx(trimesh_of(surface).volume)
    assert len(surface.faces) > 2000
    assert len(simple.faces) < 60


def test_it_ends_with_the_faces_asked_for() -> None:
    surface = surfaces_of(torus((40, 40, 12), 2, 1))[1]
    for target in (10**9, len(surface.faces), 1001, 500, 102, 40):
        simple = simplify(surface, step=STEP, max_error=1e9, target_faces=target)
        assert len(simple.faces) == min(len(surface.faces), target // 2 * 2)
        assert shape_of(simple) == shape_of(surface)
    near = simplify(surface, step=STEP, max_error=10, target_faces=40)
    assert len(near.faces) > 40
    assert len(near.faces) == pytest.approx(len(simplify(surface, step=STEP, max_error=10).faces), rel=0.05)


def test_a_ring_stays_a_ring_and_a_voxel_a_tetrahedron_at_any_error() -> None:
    ring = simplify(surfaces_of(torus((40, 40, 12), 2, 1))[1], step=STEP, max_error=1e9)
    assert shape_of(ring) == (0, 1, True, True, True)
    assert len(ring.faces) < 60
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1] = 1
    voxel = simplify(surfaces_of(labels)[1], step=STEP, max_error=1e9)
    assert shape_of(voxel) == (2, 1, True, True, True)


@pytest.mark.parametrize("joint", [[(6, 6)], [(6, 6), (6, 8)]])
def test_what_is_no_manifold_is_left_where_it_is_none(joint: list[tuple[int, int]]) -> None:
    labels = np.zeros((14, 8, 8), np.uint8)
    labels[1:7, 1:7, 1:7] = 1
    labels[8:13, 1:7, 1:7] = 1
    surface = surfaces_of(labels)[1]
    vertices = surface.vertices.copy()
    for place in joint:  # of two blocks, which now share a vertex or an edge
        vertices[(vertices == (15, *place)).all(axis=1), 0] = 13
    joined = canonical(Surface(vertices, surface.faces))
    assert len(joined.vertices) == len(vertices) - len(joint)
    assert is_manifold(joined) == (len(joint) == 1)
    simple = simplify(joined, step=STEP, max_error=40)
    assert len(simple.faces) < len(joined.faces) / 2
    assert simple.vertices.tolist().count([13, *joint[0]]) == 1
    for kind in (lambda one: one.euler_number, lambda one: sorted(set(uses(one)))):
        assert kind(trimesh_of(simple)) == kind(trimesh_of(joined))


def uses(solid: trimesh.Trimesh) -> list[int]:
    """How many faces each edge has."""
    counts: list[int] = np.unique(np.sort(solid.edges, axis=1), axis=0, return_counts=True)[1].tolist()
    return counts


def test_locked_vertices_get_no_face_and_no_edge_of_their_own() -> None:
    """What lies beyond them could have the same one."""
    rim = [(0, 0, 0), (90, 0, 0), (90, 90, 0), (0, 90, 0)]
    cone = Surface(np.array([*rim[:3], (60, 30, 9)], np.int32), np.array([(0, 1, 3), (1, 2, 3), (2, 0, 3)], np.uint32))
    roof = Surface(
        np.array([*rim, (45, 45, 9)], np.int32), np.array([(k, (k + 1) % 4, 4) for k in range(4)], np.uint32)
    )
    for surface in (cone, roof):
        assert is_same(simplify(surface, step=(1, 1, 1), max_error=1e9), canonical(surface))


@pytest.mark.parametrize("planes", [None, np.zeros(0, np.uint8)])
def test_nothing_becomes_nothing(planes: NDArray[np.uint8] | None) -> None:
    nothing = Surface(np.empty((0, 3), np.int32), np.empty((0, 3), np.uint32))
    assert simplify(nothing, step=STEP, max_error=40, planes=planes).is_empty


def test_masks_for_other_vertices_are_refused() -> None:
    surface = surfaces_of(torus((12, 12, 8), 1, 1))[1]
    with pytest.raises(ValueError, match="3 masks for"):
        simplify(surface, step=STEP, max_error=40, planes=np.zeros(3, np.uint8))


def test_a_wheel_of_many_spokes_is_left_as_it_is() -> None:
    count = 200
    rim = [(1000 * math.cos(k), 1000 * math.sin(k), 0) for k in np.linspace(0, 2 * math.pi, count, endpoint=False)]
    vertices = np.array([(0, 0, 300), (0, 0, -300), *rim], np.int32)
    around = [(2 + k, 2 + (k + 1) % count) for k in range(count)]
    faces = np.array([(0, a, b) for a, b in around] + [(1, b, a) for a, b in around], np.uint32)
    simple = simplify(Surface(vertices, faces), step=(1, 1, 1), max_error=100)
    assert shape_of(simple) == (2, 1, True, True, True)
    assert len(simple.faces) < len(faces)
    assert {(0, 0, 300), (0, 0, -300)} <= places(simple)
