"""That the skeletons of tests are measured rightly: on shapes and skeletons whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
from skeletons.making import LARGE, labels_of, shapes
from skeletons.quality import Skeleton, components_of, drop_short, facts_of, whole_skeletons
from skeletons.tissue import Parts, Tissue

RESOLUTION = (10.0, 10.0, 20.0)
OFFSET = (-3, 5, 100)


def skeleton(voxels: list[tuple[int, int, int]], edges: list[tuple[int, int]]) -> Skeleton:
    places = (np.array(voxels).reshape(-1, 3) + OFFSET + 0.5) * RESOLUTION
    return Skeleton(places, np.array(edges, np.int64).reshape(-1, 2), np.ones(len(voxels)))


def bar(length: int = 20) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """A label along x, five voxels wide, in the middle of nothing."""
    volume = np.zeros((length + 4, 11, 11), np.uint64, order="F")
    volume[2 : 2 + length, 3:8, 3:8] = LARGE + 9
    return volume


FORK = skeleton([(0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 3, 0), (2, 0, 4)], [(0, 1), (1, 2), (2, 3), (2, 4)])


def test_a_fork_is_known() -> None:
    facts = facts_of(FORK)
    assert facts.cable == pytest.approx(10 + 10 + 30 + 80)
    assert (facts.vertices, facts.terminals, facts.branch_points, facts.components, facts.loops) == (5, 3, 1, 1, 0)


def test_loops_and_doubled_edges_are_counted() -> None:
    square = skeleton([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [(0, 1), (1, 2), (2, 3), (3, 0)])
    assert facts_of(square).loops == 1
    assert facts_of(square).terminals == 0
    assert facts_of(FORK._replace(edges=np.concatenate([FORK.edges, FORK.edges[:1]]))).loops == 1
    assert facts_of(FORK._replace(edges=np.concatenate([FORK.edges, [[3, 3]]]))).loops == 1


def test_parts_are_counted_also_without_edges() -> None:
    assert facts_of(skeleton([(0, 0, 0), (1, 0, 0), (5, 5, 5)], [(0, 1)])).components == 2
    assert facts_of(skeleton([], [])) == (0, 0.0, 0, 0, 0, 0)
    assert components_of(skeleton([(0, 0, 0)], []))[0] == 1


def test_short_parts_are_dropped() -> None:
    two = skeleton([(0, 0, 0), (1, 0, 0), (5, 0, 0), (9, 0, 0), (7, 7, 7)], [(0, 1), (2, 3)])
    kept = drop_short(two, 20.0)
    assert facts_of(kept).cable == pytest.approx(40)
    assert (facts_of(kept).vertices, facts_of(kept).terminals) == (2, 2)
    assert np.array_equal(kept.edges, [[0, 1]])
    assert facts_of(drop_short(two, 0)).vertices == 5
    assert facts_of(drop_short(two, 1e9)).vertices == 0


def test_vertices_outside_are_seen() -> None:
    tissue = Tissue(bar(), RESOLUTION, OFFSET)
    found = skeleton([(2, 5, 5), (21, 5, 5), (22, 5, 5), (1, 5, 5), (99, 0, 0), (-1, 0, 0)], [(0, 1)])
    assert tissue.inside(LARGE + 9, found).tolist() == [True, True, False, False, False, False]
    assert tissue.from_middle(found) == pytest.approx(0, abs=1e-9)
    shifted = found._replace(vertices=found.vertices + np.array([3.0, 0, 0]))
    assert tissue.from_middle(shifted) == pytest.approx(0.3)


def test_the_axis_is_in_the_middle_and_a_corner_is_not() -> None:
    tissue = Tissue(bar(), RESOLUTION, OFFSET)
    axis = skeleton([(x, 5, 5) for x in range(6, 18)], [])
    assert np.allclose(tissue.centredness(LARGE + 9, axis, 40), 1)
    edge = skeleton([(10, 3, 5)], [])
    assert tissue.centredness(LARGE + 9, edge, 40) == pytest.approx([10 / 30])  # the axis is 30 nm from the side
    assert tissue.centredness(LARGE + 9, edge, 10) == pytest.approx([10 / 20])


def test_parts_without_a_skeleton_and_broken_ones_are_counted() -> None:
    volume = bar()
    volume[12, :, :] = 0
    volume[0, 0, 0] = LARGE + 9
    tissue = Tissue(volume, RESOLUTION, OFFSET)
    label = LARGE + 9
    assert tissue.size_of(label) == 19 * 25 + 1
    first, second = [(3, 5, 5), (4, 5, 5)], [(14, 5, 5), (15, 5, 5)]
    both = skeleton(first + second, [(0, 1), (2, 3)])
    assert tissue.parts_of(label, both, 100) == Parts(2, 0, 0)
    assert tissue.parts_of(label, both._replace(edges=both.edges[:1]), 100) == Parts(1, 1, 0)
    assert tissue.parts_of(label, skeleton(first, [(0, 1)]), 100) == Parts(1, 0, 1)
    assert tissue.parts_of(label, None, 100) == Parts(0, 0, 2)
    assert tissue.parts_of(label, None, 0) == Parts(0, 0, 3)


def test_a_volume_without_background_is_measured_alike() -> None:
    volume = np.full((4, 4, 4), 7, np.uint64)
    volume[2:] = 9
    tissue = Tissue(volume, RESOLUTION, OFFSET)
    assert tissue.labels == [7, 9]
    assert tissue.inside(9, skeleton([(1, 1, 1), (2, 1, 1)], [])).tolist() == [False, True]
    assert tissue.parts_of(7, None, 10) == Parts(0, 0, 1)


def test_kimimaro_s_skeletons_of_the_whole_lie_where_the_voxels_are() -> None:
    tissue = Tissue(bar(), RESOLUTION, OFFSET)
    found = whole_skeletons(bar(), RESOLUTION, OFFSET, dust=10)
    assert list(found) == [LARGE + 9]
    facts = facts_of(found[LARGE + 9])
    assert (facts.terminals, facts.components, facts.loops) == (2, 1, 0)
    assert facts.cable == pytest.approx(190, rel=0.35)
    assert tissue.inside(LARGE + 9, found[LARGE + 9]).all()
    assert tissue.from_middle(found[LARGE + 9]) < 1e-6


def test_volumes_have_large_labels_and_their_skeletons_are_inside() -> None:
    volume = shapes((40, 36, 32), 3)
    labels = labels_of(volume)
    assert len(labels) > 4
    assert min(labels) < LARGE < max(labels)
    assert np.array_equal(volume, shapes((40, 36, 32), 3))
    tissue = Tissue(volume, RESOLUTION)
    found = whole_skeletons(volume, RESOLUTION, dust=100)
    assert len(found) > 3
    for label, skeleton in found.items():
        assert tissue.inside(label, skeleton).all()
        assert tissue.parts_of(label, skeleton, 100)[1:] == (0, 0)
