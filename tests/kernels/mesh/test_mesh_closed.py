"""What is said of surfaces, against trimesh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.mesh.volumes import Labels, closed, surfaces_of, trimesh_of, volumes

from teravox.kernels.mesh.closed import euler, is_manifold, open_edges, volume
from teravox.kernels.mesh.surface import Surface

TETRAHEDRON = Surface(
    np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2]], np.int32),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint32),
)


def with_faces(faces: list[list[int]]) -> Surface:
    return Surface(TETRAHEDRON.vertices, np.array(faces, np.uint32).reshape(-1, 3))


@given(labels=volumes(), is_closed=st.booleans(), seed=st.integers(0, 9), drop=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_edges_and_volume_are_those_that_trimesh_finds(labels: Labels, is_closed: bool, seed: int, drop: int) -> None:
    for surface in surfaces_of(closed(labels) if is_closed else labels).values():
        rng = np.random.default_rng(seed)
        keep = rng.permutation(len(surface.faces))[drop:]
        surface = Surface(surface.vertices, surface.faces[keep])
        if surface.is_empty:
            continue
        other = trimesh_of(surface)
        _, uses = np.unique(np.sort(other.edges, axis=1), axis=0, return_counts=True)
        assert open_edges(surface) == (uses == 1).sum()
        used = len(np.unique(surface.faces))
        assert euler(surface) == used - len(uses) + len(surface.faces)
        assert is_manifold(surface) == (other.is_watertight and other.is_winding_consistent)
        if is_manifold(surface):
            assert volume(surface) == pytest.approx(other.volume)


def test_a_face_that_looks_inwards_is_no_manifold() -> None:
    assert is_manifold(TETRAHEDRON)
    assert volume(TETRAHEDRON) == pytest.approx(1 / 6)
    assert euler(TETRAHEDRON) == 2
    turned = with_faces([[0, 2, 1], [0, 1, 3], [0, 3, 2], [2, 1, 3]])
    assert open_edges(turned) == 0
    assert not is_manifold(turned)


def test_two_faces_on_each_other_are_no_manifold() -> None:
    folded = with_faces([[0, 2, 1], [0, 1, 2]])
    assert open_edges(folded) == 0
    assert not is_manifold(folded)


def test_an_edge_of_four_faces_is_no_manifold() -> None:
    faces = TETRAHEDRON.faces.tolist()
    assert not is_manifold(with_faces([*faces, [0, 1, 2], [0, 3, 1]]))


def test_nothing_is_closed_and_has_no_volume() -> None:
    nothing = with_faces([])
    assert (open_edges(nothing), euler(nothing), volume(nothing), is_manifold(nothing)) == (0, 0, 0, True)
