"""The surfaces of labels, against what the voxels say themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from kernels.mesh.volumes import Labels, closed, surfaces_of, trimesh_of, volumes

from teravox.kernels.mesh.weld import canonical

Points = set[tuple[int, int, int]]


def points_between(labels: Labels, label: int) -> Points:
    """The middle between each two neighbours of which one has the label, in half voxels."""
    inside = labels == label
    found: Points = set()
    for axis in range(3):
        one, next_ = np.delete(inside, -1, axis), np.delete(inside, 0, axis)
        middle = 2 * np.argwhere(one != next_)
        middle[:, axis] += 1
        found.update((x, y, z) for x, y, z in middle.tolist())
    return found


@given(labels=volumes())
@settings(max_examples=60, deadline=None)
def test_vertices_lie_in_the_middle_between_voxels_of_different_labels(labels: Labels) -> None:
    labels = closed(labels)
    found = surfaces_of(labels)
    assert list(found) == sorted(set(np.unique(labels).tolist()) - {0})
    for label, surface in found.items():
        points = [tuple(point) for point in surface.vertices.tolist()]
        assert points == sorted(points_between(labels, label))
        solid = trimesh_of(surface)
        assert solid.is_volume
        assert solid.volume > 0


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_a_voxel_becomes_an_octahedron_whatever_its_label(dtype: str) -> None:
    labels = np.zeros((3, 4, 5), dtype)
    label = int(np.iinfo(dtype).max)  # for uint64 above 2**63
    labels[1, 2, 3] = label
    labels[1, 1, 1] = 7
    found = surfaces_of(labels)
    assert list(found) == [7, label]
    surface = found[label]
    assert surface.vertices.dtype == np.int32
    assert surface.faces.dtype == np.uint32
    assert surface.vertices.tolist() == [[1, 4, 6], [2, 3, 6], [2, 4, 5], [2, 4, 7], [2, 5, 6], [3, 4, 6]]
    assert len(surface.faces) == 8
    assert trimesh_of(surface).volume == pytest.approx(1 / 6)


def test_at_the_edge_of_the_array_a_surface_is_open() -> None:
    labels = np.zeros((2, 4, 4), np.uint32)
    labels[:, 1:3, 1:3] = 1
    surface = surfaces_of(labels)[1]
    assert surface.vertices.min(axis=0).tolist() == [0, 1, 1]
    assert surface.vertices.max(axis=0).tolist() == [2, 5, 5]
    assert not trimesh_of(surface).is_watertight


@pytest.mark.parametrize("size", [(0, 3, 3), (1, 3, 3), (3, 3, 1), (2, 2, 2)])
def test_one_label_that_fills_the_array_has_no_surface(size: tuple[int, int, int]) -> None:
    assert surfaces_of(np.ones(size, np.uint64)) == {}


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_long_array_is_exact(axis: int) -> None:
    size = [3, 3, 3]
    size[axis] = 1500
    labels = np.zeros(size, np.uint16)
    at = [1, 1, 1]
    at[axis] = 1400
    labels[tuple(at)] = 1
    assert surfaces_of(labels)[1].vertices.mean(axis=0).tolist() == [2 * one for one in at]


def test_the_order_of_the_array_in_memory_changes_nothing() -> None:
    labels = np.random.default_rng(1).integers(0, 3, (6, 5, 4)).astype(np.uint32)
    for other in (np.asfortranarray(labels), np.repeat(labels, 2, axis=1)[:, ::2]):
        for label, surface in surfaces_of(other).items():
            expected = surfaces_of(labels)[label]
            assert (surface.vertices == expected.vertices).all()
            assert (surface.faces == expected.faces).all()
            assert (canonical(surface).faces == surface.faces).all()


def test_what_are_no_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="without sign in three dimensions, not int32"):
        surfaces_of(np.zeros((3, 3, 3), np.int32))
