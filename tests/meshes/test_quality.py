"""That the meshes of tests are measured rightly: on shapes whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from meshes.distance import nearest
from meshes.neurites import LARGE, labels_of, neurites
from meshes.quality import Mesh, area, deviation, deviations, facts_of, triangles_of, weld, whole_meshes
from scipy.spatial import cKDTree


def made(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices, float), np.asarray(shape.faces, np.int64))


SPHERE = made(trimesh.creation.icosphere(4, radius=100.0))
TORUS = made(trimesh.creation.torus(100.0, 30.0, 64, 32))


def test_a_sphere_and_a_torus_are_known() -> None:
    sphere, torus = facts_of(SPHERE), facts_of(TORUS)
    assert (sphere.is_volume, sphere.euler, sphere.open_edges) == (True, 2, 0)
    assert (torus.is_volume, torus.euler, torus.open_edges) == (True, 0, 0)
    assert sphere.volume == pytest.approx(4 / 3 * np.pi * 100**3, rel=0.01)
    assert area(SPHERE) == pytest.approx(4 * np.pi * 100**2, rel=0.01)


def test_a_hole_and_a_turned_face_are_seen() -> None:
    open_ = facts_of(Mesh(SPHERE.vertices, SPHERE.faces[1:]))
    assert (open_.is_volume, open_.open_edges, open_.euler) == (False, 3, 1)
    turned = SPHERE.faces.copy()
    turned[7] = turned[7, ::-1]
    assert not facts_of(Mesh(SPHERE.vertices, turned)).is_volume
    assert not facts_of(Mesh(SPHERE.vertices, SPHERE.faces[:, ::-1])).is_volume


def test_spheres_are_as_far_apart_as_their_radii() -> None:
    found = deviation(SPHERE, Mesh(SPHERE.vertices * 1.1, SPHERE.faces))
    assert found.median == pytest.approx(10, abs=0.3)
    assert found.most == pytest.approx(10, abs=0.5)
    assert deviation(SPHERE, SPHERE).most < 1e-9


def test_what_is_missing_on_either_side_counts() -> None:
    far = Mesh(SPHERE.vertices + np.array([1000, 0, 0]), SPHERE.faces)
    both = Mesh(np.concatenate([SPHERE.vertices, far.vertices]), np.concatenate([SPHERE.faces, far.faces + 2562]))
    assert len(SPHERE.vertices) == 2562
    for a, b in ((SPHERE, both), (both, SPHERE)):
        assert 900 < deviations(a, b, 500).max() < 1101


def test_distances_are_those_to_very_many_points_of_the_surface() -> None:
    random = np.random.default_rng(0)
    triangles = random.normal(size=(20, 3, 3)) * [1, 1, 30]
    points = random.normal(size=(300, 3)) * [2, 2, 60]
    weights = random.dirichlet((1, 1, 1), (20, 20_000))
    dense = np.einsum("tnk,tka->tna", weights, triangles).reshape(-1, 3)
    wanted, _ = cKDTree(np.concatenate([dense, triangles.reshape(-1, 3)])).query(points)
    found = nearest(points, triangles)
    assert (found <= wanted + 1e-9).all()
    assert np.abs(found - wanted).max() < 0.4
    assert np.median(np.abs(found - wanted)) < 0.01


def test_parts_are_welded_where_they_meet() -> None:
    triangles = triangles_of(TORUS)
    random = np.random.default_rng(0)
    loose = Mesh(
        triangles.reshape(-1, 3) + random.uniform(-1e-4, 1e-4, (len(triangles) * 3, 3)),
        np.arange(len(triangles) * 3).reshape(-1, 3),
    )
    assert facts_of(loose).open_edges == 3 * len(triangles)
    welded = facts_of(weld(loose, 0.01))
    assert (welded.is_volume, welded.euler, welded.open_edges) == (True, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_whole_surfaces_are_closed_and_as_large_as_their_voxels(seed: int) -> None:
    volume = neurites((40, 36, 30), seed)
    found = dict(whole_meshes(volume, (4, 4, 40), (-7, 3, 5)))
    assert list(found) == labels_of(volume)
    assert any(label > LARGE for label in found)
    for label, mesh in found.items():
        voxels = np.argwhere(volume == label)
        facts = facts_of(mesh)
        assert facts.open_edges == 0
        assert facts.volume == pytest.approx(len(voxels) * 640, rel=0.35)
        ends = np.array([voxels.min(axis=0), voxels.max(axis=0) + 1]) + np.array([-7, 3, 5])
        assert (mesh.vertices.min(axis=0) == ends[0] * (4, 4, 40)).all()
        assert (mesh.vertices.max(axis=0) == ends[1] * (4, 4, 40)).all()
