"""Welding, against the surface of the whole and against NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.mesh.volumes import Labels, Vec, closed, surfaces_of, volumes

from teravox.kernels.mesh.surface import Surface
from teravox.kernels.mesh.weld import canonical, weld


def surface_of(vertices: list[list[int]], faces: list[list[int]]) -> Surface:
    return Surface(np.array(vertices, np.int32).reshape(-1, 3), np.array(faces, np.uint32).reshape(-1, 3))


def is_same(one: Surface, other: Surface) -> bool:
    return np.array_equal(one.vertices, other.vertices) and np.array_equal(one.faces, other.faces)


def cut(labels: Labels, shape: Vec) -> dict[int, list[Surface]]:
    """The surfaces of boxes that overlap by a voxel, in the frame of the whole."""
    found: dict[int, list[Surface]] = {}
    for low in itertools.product(*(range(0, max(1, n - 1), step) for n, step in zip(labels.shape, shape, strict=True))):
        x, y, z = (slice(a, a + step + 1) for a, step in zip(low, shape, strict=True))
        for label, surface in surfaces_of(labels[x, y, z]).items():
            found.setdefault(label, []).append(surface.moved((2 * low[0], 2 * low[1], 2 * low[2])))
    return found


@given(labels=volumes(), shape=st.tuples(*[st.integers(1, 6)] * 3), far=st.integers(-(2**30), 2**30), data=st.data())
@settings(max_examples=60, deadline=None)
def test_pieces_become_the_surface_of_the_whole(labels: Labels, shape: Vec, far: int, data: st.DataObject) -> None:
    labels = closed(labels)
    whole = surfaces_of(labels)
    pieces = cut(labels, shape)
    assert sorted(pieces) == sorted(whole)
    for label, parts in pieces.items():
        mixed = [part.moved((far, -far, 3)) for part in data.draw(st.permutations(parts))]
        assert is_same(weld(mixed), whole[label].moved((far, -far, 3)))


@given(labels=volumes(), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_any_order_of_vertices_and_faces_becomes_the_same(labels: Labels, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for surface in surfaces_of(closed(labels)).values():
        order = rng.permutation(len(surface.vertices))
        faces = np.argsort(order)[surface.faces].astype(np.uint32)
        faces = np.stack([np.roll(face, rng.integers(3)) for face in faces])[rng.permutation(len(faces))]
        assert is_same(canonical(Surface(surface.vertices[order], faces)), surface)


def test_the_order_is_that_of_coordinates_and_numbers() -> None:
    mixed = surface_of([[5, 0, 0], [0, 0, 2], [0, 0, -1], [0, -3, 9]], [[0, 1, 2], [1, 0, 3], [2, 3, 0], [3, 2, 1]])
    assert is_same(
        canonical(mixed),
        surface_of([[0, -3, 9], [0, 0, -1], [0, 0, 2], [5, 0, 0]], [[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]]),
    )


def test_what_is_there_twice_or_has_no_area_or_is_unused_is_dropped() -> None:
    one = surface_of([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]], [[0, 1, 2], [0, 1, 1]])
    other = surface_of([[0, 1, 0], [0, 0, 0], [1, 0, 0]], [[0, 1, 2]])
    assert is_same(weld([one, other]), surface_of([[0, 0, 0], [0, 1, 0], [1, 0, 0]], [[0, 2, 1]]))


def test_vertices_that_are_equal_within_one_part_become_one() -> None:
    part = surface_of([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 2], [1, 0, 3]])
    assert is_same(weld([part]), surface_of([[0, 0, 0], [0, 1, 0], [1, 0, 0]], [[0, 2, 1]]))


def test_opposite_faces_are_both_kept() -> None:
    part = surface_of([[0, 0, 0], [0, 1, 0], [1, 0, 0]], [[0, 1, 2], [0, 2, 1]])
    assert is_same(weld([part]), part)


@pytest.mark.parametrize("parts", [[], [surface_of([], [])], [surface_of([[1, 2, 3]], [])] * 2])
def test_nothing_becomes_nothing(parts: list[Surface]) -> None:
    assert weld(parts).is_empty
    assert weld(parts).vertices.shape == (0, 3)


def test_a_surface_may_span_all_that_whole_numbers_reach() -> None:
    low, high = -(2**31), 2**31 - 1
    part = surface_of([[high, low, low], [low, high, low], [low, low, high]], [[0, 1, 2]])
    welded = weld([part, part])
    assert welded.vertices.tolist() == [[low, low, high], [low, high, low], [high, low, low]]
    assert welded.faces.tolist() == [[0, 2, 1]]


def test_a_vertex_may_have_many_faces() -> None:
    rim = [[10, round(1e6 * np.cos(t)), round(1e6 * np.sin(t))] for t in np.linspace(0, 6, 500)]
    fan = surface_of([[0, 0, 0], *rim], [[0, k, k + 1] for k in range(1, 500)])
    order = np.random.default_rng(0).permutation(499)
    found = canonical(Surface(fan.vertices, fan.faces[order]))
    assert is_same(found, canonical(fan))
    assert found.faces.tolist() == sorted(found.faces.tolist())
