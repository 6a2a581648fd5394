"""Packed meshes are what Draco itself reads, and about as small as it packs them."""

from __future__ import annotations

from typing import Any

import DracoPy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernels.mesh.volumes import Labels, Vec, blobs, closed, sheets, surfaces_of, torus, volumes
from numpy.typing import NDArray
from real_volumes import real_cortex

from teravox.kernels.draco import encode as module
from teravox.kernels.draco.encode import encode
from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import canonical

Points = NDArray[np.uint32]
Faces = NDArray[np.uint32]

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint32)


def by_draco(points: Points, faces: Faces, bits: int = 16) -> bytes:
    return bytes(
        DracoPy.encode(points, faces, compression_level=7, quantization_bits=bits, quantization_origin=(0, 0, 0))
    )


def read(data: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    mesh = DracoPy.decode(data)
    return mesh.points, mesh.faces


def triangles(points: NDArray[Any], faces: NDArray[Any]) -> NDArray[np.int64]:
    """Each face by the places of its corners, turned so that the least comes first; in order."""
    corners = points.astype(np.int64)[faces]
    turns = np.stack([corners[:, [0, 1, 2]], corners[:, [1, 2, 0]], corners[:, [2, 0, 1]]], axis=1).reshape(-1, 3, 9)
    found = np.array([min(map(tuple, three)) for three in turns.tolist()], np.int64).reshape(-1, 9)
    return found[np.lexsort(found.T)]


def comes_back(points: Points, faces: Faces, bits: int = 16) -> bool:
    return np.array_equal(triangles(*read(encode(points, faces, bits))), triangles(points, faces))


@pytest.fixture(params=["plain", "by valence"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both forms of what hangs together with what, whatever would be chosen."""
    monkeypatch.setattr(module, "MANY", 0 if request.param == "by valence" else 1 << 40)
    monkeypatch.setattr(module, "EVEN", 0.0)


def placed(surface: Surface, points: int) -> tuple[Points, Faces]:
    """A surface on a lattice of so many points for each half voxel."""
    return ((surface.vertices - surface.vertices.min(axis=0)) * points).astype(np.uint32), surface.faces


def test_a_tetrahedron_is_packed_as_draco_packs_it() -> None:
    points = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3]], np.uint32)
    assert encode(points, TETRAHEDRON, 16) == by_draco(points, TETRAHEDRON)


@pytest.mark.usefixtures("form")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(volumes(), st.sampled_from([1, 8, 100]))
def test_surfaces_of_labels_come_back(labels: Labels, points: int) -> None:
    for surface in surfaces_of(closed(labels)).values():
        assert comes_back(*placed(surface, points))


@pytest.mark.usefixtures("form")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(volumes(), st.integers(0, 1 << 32), st.floats(0, 1))
def test_open_and_torn_surfaces_come_back(labels: Labels, seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    for surface in surfaces_of(closed(labels)).values():
        points, faces = placed(surface, 3)
        faces = faces[random.random(len(faces)) < share]
        turned = random.random(len(faces)) < 0.05
        faces[turned] = faces[turned][:, ::-1]
        if len(faces):
            assert comes_back(points, faces)


@pytest.mark.usefixtures("form")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 32), st.sampled_from([(3, 8), (6, 8), (30, 60), (300, 600), (12, 200)]), st.integers(1, 16))
def test_any_faces_come_back_however_they_lie(seed: int, most: tuple[int, int], bits: int) -> None:
    """Also where several points are at one place, and edges have many faces."""
    random = np.random.default_rng(seed)
    points = random.integers(0, 1 << bits, (random.integers(3, most[0] + 1), 3)).astype(np.uint32)
    faces = random.integers(0, len(points), (random.integers(1, most[1] + 1), 3)).astype(np.uint32)
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    if len(faces):
        assert comes_back(points, faces, bits)


@pytest.mark.parametrize("bits", [1, 10, 16, 24, 30])
def test_places_of_all_lengths_come_back(bits: int) -> None:
    random = np.random.default_rng(bits)
    (surface,) = surfaces_of(closed(torus((20, 20, 9), 1, 1))).values()
    far = random.integers(0, 1 << bits, surface.vertices.shape).astype(np.uint32)
    far[0], far[-1] = 0, (1 << bits) - 1
    assert comes_back(far, surface.faces, bits)


@pytest.mark.usefixtures("form")
def test_a_surface_of_many_handles_and_holes_comes_back() -> None:
    (surface,) = surfaces_of(closed(sheets((25, 25, 3), 2, 1))).values()
    points, faces = placed(surface, 32)
    data = encode(points, faces, 16)
    assert np.array_equal(triangles(*read(data)), triangles(points, faces))
    found, _ = read(data)
    assert len(found) == len(points)  # each vertex once


@pytest.mark.parametrize("size", [(14, 12, 10), (40, 40, 30)])
def test_packed_surfaces_are_about_as_small_as_draco_makes_them(size: Vec) -> None:
    ours = theirs = 0
    for surface in surfaces_of(closed(blobs(size, 1, 3))).values():
        points, faces = placed(surface, 32)
        ours += len(encode(points, faces, 16))
        theirs += len(by_draco(points, faces))
    assert ours < 1.1 * theirs


def test_the_same_faces_give_the_same_bytes() -> None:
    surface = canonical(surfaces_of(closed(blobs((12, 12, 12), 0, 1)))[1])
    points, faces = placed(surface, 1)
    assert encode(points, faces, 16) == encode(points.copy(order="F"), faces.astype(np.int64).astype(np.uint32), 16)


@pytest.mark.parametrize(
    ("faces", "bits", "why"),
    [
        (TETRAHEDRON[:0], 16, "no faces"),
        (TETRAHEDRON, 9, "a position of 1,000 has more than 9 bits"),
        (np.array([[0, 1, 1]], np.uint32), 16, "a vertex twice"),
        (np.array([[0, 1, 4]], np.uint32), 16, "one that is not there"),
    ],
)
def test_what_cannot_be_packed_is_refused(faces: Faces, bits: int, why: str) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1000]], np.uint32)
    with pytest.raises(ValueError, match=why):
        encode(points, faces, bits)


def test_positions_of_more_bits_than_draco_can_foretell_are_refused() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1 << 31]], np.uint32)
    with pytest.raises(ValueError, match="2,147,483,648 has more than 30 bits"):
        encode(points, TETRAHEDRON, 32)


def test_surfaces_of_a_cortex_come_back() -> None:
    ours = theirs = 0
    for surface in surfaces_of(closed(real_cortex()[:96, :96, :48])).values():
        points, faces = placed(surface, 32)
        data = encode(points, faces, 16)
        assert np.array_equal(triangles(*read(data)), triangles(points, faces))
        ours, theirs = ours + len(data), theirs + len(by_draco(points, faces))
    assert ours < 1.03 * theirs
