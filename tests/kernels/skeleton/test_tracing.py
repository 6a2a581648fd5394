"""Skeletons as they are traced, against those of kimimaro, and what is true of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cc3d
import edt
import kimimaro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skeletons.compare import compare
from skeletons.making import draw_ball, draw_ball_somewhere, draw_plate, draw_ring, draw_tree, draw_tube, shapes
from skeletons.quality import Skeleton as Measured
from skeletons.quality import facts_of

from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.teasar import Teasar
from teravox.kernels.skeleton.tracing import Targets, trace

Step = tuple[float, float, float]
Volume = NDArray[Any]

CUBE: Step = (1.0, 1.0, 1.0)
THICK: Step = (16.0, 16.0, 40.0)
NO_VOXELS = np.empty((0, 3), np.int32)
MUCH: Teasar = Teasar(scale=1.5, const=2)


def measure(volume: Volume, step: Step) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    found = cc3d.connected_components(volume, connectivity=26, out_dtype=np.uint32)
    numbers = np.asfortranarray(found, np.uint32)
    return numbers, np.asfortranarray(edt.edt(numbers, anisotropy=step, black_border=bool(numbers.all())))


def trace_all(
    volume: Volume, step: Step, teasar: Teasar, targets: dict[int, Targets] | None = None
) -> dict[int, Skeleton]:
    numbers, distances = measure(volume, step)
    return dict(trace(numbers, distances, step, range(1, int(numbers.max()) + 1), teasar, targets))


def in_nm(skeleton: Skeleton, step: Step) -> Measured:
    edges, radius = skeleton.edges.astype(np.int64), skeleton.radius.astype(np.float64)
    return Measured(skeleton.vertices * np.array(step), edges, radius)


def by_kimimaro(volume: Volume, step: Step, teasar: Teasar) -> dict[int, Measured]:
    words = teasar._asdict() | {"pdrf_exponent": int(teasar.pdrf_exponent)}
    made = kimimaro.skeletonize(
        measure(volume, step)[0],
        fix_branching=words.pop("fix_branching"),
        teasar_params=words,
        anisotropy=step,
        dust_threshold=0,
        progress=False,
        fix_borders=False,
    )
    return {
        int(number): Measured(one.vertices.astype(np.float64), one.edges.astype(np.int64), one.radii.astype(np.float64))
        for number, one in made.items()
    }


def drawn(draw: Callable[[Any, np.uint64, np.random.Generator], None], seed: int) -> Volume:
    volume = np.zeros((48, 44, 40), np.uint64, order="F")
    draw(volume, np.uint64(1), np.random.default_rng(seed))
    return volume


@pytest.mark.parametrize("fix_branching", [True, False])
@pytest.mark.parametrize("step", [CUBE, THICK])
@pytest.mark.parametrize(("draw", "seed"), [(draw_tube, 0), (draw_tube, 6), (draw_tree, 1), (draw_tree, 7)])
def test_wires_have_the_skeletons_of_kimimaro(
    draw: Callable[[Any, np.uint64, np.random.Generator], None], seed: int, step: Step, fix_branching: bool
) -> None:
    teasar = MUCH._replace(const=2 * step[0], fix_branching=fix_branching)
    volume = drawn(draw, seed)
    ours, theirs = trace_all(volume, step, teasar), by_kimimaro(volume, step, teasar)
    assert ours.keys() == theirs.keys()
    for number, one in ours.items():
        found = compare(in_nm(one, step), theirs[number])
        assert found.terminals[0] == found.terminals[1]
        assert found.branch_points[0] == found.branch_points[1]
        assert abs(found.cable) < 0.02
        assert found.apart <= np.linalg.norm(step)
        assert found.ends_apart <= 2 * max(step)


@pytest.mark.parametrize("step", [CUBE, THICK])
@pytest.mark.parametrize(
    ("draw", "seed", "cable"), [(draw_ring, 2, 0.06), (draw_ring, 8, 0.02), (draw_ball_somewhere, 9, 0.01)]
)
def test_shapes_of_many_voxels_that_are_as_far_have_the_size_of_those_of_kimimaro(
    draw: Callable[[Any, np.uint64, np.random.Generator], None], seed: int, cable: float, step: Step
) -> None:
    teasar = MUCH._replace(const=2 * step[0])
    volume = drawn(draw, seed)
    found = compare(in_nm(trace_all(volume, step, teasar)[1], step), by_kimimaro(volume, step, teasar)[1])
    assert abs(found.cable) <= cable
    assert abs(found.terminals[0] - found.terminals[1]) <= 1
    assert found.apart <= 2 * np.linalg.norm(step)


def test_labels_that_touch_have_their_own_skeletons() -> None:
    volume = shapes((40, 36, 44), 11, plates=False)
    teasar = Teasar(const=40)
    ours, theirs = trace_all(volume, THICK, teasar), by_kimimaro(volume, THICK, teasar)
    large = [number for number in ours if len(ours[number].vertices) > 1]
    assert len(large) >= 6
    assert set(large) <= set(theirs)
    cables = np.array([(facts_of(in_nm(ours[n], THICK)).cable, facts_of(theirs[n]).cable) for n in large]).sum(axis=0)
    assert cables[0] == pytest.approx(cables[1], rel=0.03)


def check(numbers: NDArray[np.uint32], number: int, one: Skeleton) -> None:
    """What is true of each skeleton: a tree of voxels of the component, in order."""
    facts = facts_of(in_nm(one, CUBE))
    assert facts.components == 1
    assert facts.loops == 0
    assert (numbers[tuple(one.vertices.T)] == number).all()
    assert np.abs(one.vertices[one.edges[:, 0]] - one.vertices[one.edges[:, 1]]).max(initial=1) == 1
    same = one.canonical()
    assert np.array_equal(same.vertices, one.vertices)
    assert np.array_equal(same.edges, one.edges)
    assert one.vertices.dtype == np.int32
    assert one.edges.dtype == np.uint32
    assert one.radius.dtype == np.float32


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.tuples(*[st.integers(3, 22)] * 3),
    step=st.sampled_from([CUBE, THICK, (3.0, 5.0, 2.0)]),
    scale=st.sampled_from([0.0, 1.0, 4.0]),
    const=st.sampled_from([0.0, 2.0, 50.0]),
    exponent=st.sampled_from([1.0, 4.0, 5.5]),
    fix_branching=st.booleans(),
)
def test_all_skeletons_are_trees_of_voxels_of_their_component_near_to_all_of_them(
    seed: int, size: tuple[int, int, int], step: Step, scale: float, const: float, exponent: float, fix_branching: bool
) -> None:
    volume = shapes(size, seed, count=4)
    numbers, distances = measure(volume, step)
    teasar = Teasar(scale=scale, const=const, pdrf_exponent=exponent, fix_branching=fix_branching)
    chosen = range(1, int(numbers.max()) + 1)
    made = dict(trace(numbers, distances, step, chosen, teasar))
    assert list(made) == list(chosen)
    for number, one in made.items():
        check(numbers, number, one)
        assert np.array_equal(one.radius, distances[tuple(one.vertices.T)])
        voxels = np.argwhere(numbers == number)
        gaps = (voxels[:, None] - one.vertices) * np.array(step)
        reach = np.maximum(scale * one.radius + const, 1e-6)
        assert (np.linalg.norm(gaps, axis=2) <= reach * 1.001).any(axis=1).all()
    alone = dict(trace(numbers, distances, step, reversed(chosen), teasar))
    for number, one in made.items():
        assert np.array_equal(alone[number].vertices, one.vertices)
        assert np.array_equal(alone[number].edges, one.edges)


def test_a_component_has_the_same_skeleton_wherever_it_lies() -> None:
    volume = drawn(draw_tree, 5)
    moved = np.zeros((61, 50, 47), np.uint64, order="F")
    moved[9:57, 2:46, 5:45] = volume
    one, other = trace_all(volume, THICK, Teasar())[1], trace_all(moved, THICK, Teasar())[1]
    assert np.array_equal(one.moved((9, 2, 5)).vertices, other.vertices)
    assert np.array_equal(one.edges, other.edges)


def test_a_single_voxel_is_a_vertex_without_edges() -> None:
    volume = np.zeros((5, 5, 5), np.uint8, order="F")
    volume[2, 4, 0] = 1
    one = trace_all(volume, THICK, Teasar())[1]
    assert one.vertices.tolist() == [[2, 4, 0]]
    assert one.edges.shape == (0, 2)
    assert one.radius.tolist() == [16]


def test_nothing_chosen_makes_nothing() -> None:
    numbers = np.zeros((4, 4, 4), np.uint32, order="F")
    distances = np.zeros((4, 4, 4), np.float32, order="F")
    assert list(trace(numbers, distances, CUBE, [], Teasar())) == []
    assert list(trace(numbers, distances, CUBE, [7], Teasar())) == []


def voxels(*rows: tuple[int, int, int]) -> NDArray[np.int32]:
    return np.array(rows, np.int32).reshape(-1, 3)


@pytest.mark.parametrize("fix_branching", [True, False])
@pytest.mark.parametrize("max_paths", [None, 1])
def test_all_targets_are_vertices_and_paths_begin_at_the_first(max_paths: int | None, fix_branching: bool) -> None:
    volume = np.ones((30, 12, 12), np.uint8, order="F")
    first, second, third = (0, 5, 5), (29, 5, 5), (15, 0, 0)
    targets = {1: Targets(voxels(first, second), voxels(third))}
    teasar = Teasar(scale=100, max_paths=max_paths, fix_branching=fix_branching)
    one = trace_all(volume, CUBE, teasar, targets)[1]
    rows = {tuple(row) for row in one.vertices.tolist()}
    assert rows >= {first, second, third}
    assert facts_of(in_nm(one, CUBE)).terminals == 3
    check(np.ones(volume.shape, np.uint32), 1, one)


def test_a_root_is_where_paths_begin() -> None:
    volume = np.ones((30, 3, 3), np.uint8, order="F")
    targets = {1: Targets(NO_VOXELS, NO_VOXELS, (15, 1, 1))}
    one = trace_all(volume, CUBE, Teasar(scale=0, const=8), targets)[1]
    assert [15, 1, 1] in one.vertices.tolist()
    assert facts_of(in_nm(one, CUBE)).terminals == 2


def test_targets_outside_of_their_component_are_refused() -> None:
    volume = np.zeros((9, 9, 9), np.uint8, order="F")
    volume[2:5, 2:5, 2:5] = 1
    with pytest.raises(ValueError, match="outside of its component"):
        trace_all(volume, CUBE, Teasar(), {1: Targets(voxels((8, 8, 8)), NO_VOXELS)})


def test_distances_that_have_no_end_are_refused() -> None:
    numbers = np.ones((4, 4, 4), np.uint32, order="F")
    distances = np.full((4, 4, 4), np.inf, np.float32, order="F")
    with pytest.raises(ValueError, match="black_border"):
        list(trace(numbers, distances, CUBE, [1], Teasar()))


def test_components_in_two_parts_are_refused() -> None:
    numbers = np.zeros((9, 4, 4), np.uint32, order="F")
    numbers[:3] = numbers[6:] = 1
    distances = np.asfortranarray(numbers, np.float32)
    with pytest.raises(ValueError, match="not connected"):
        list(trace(numbers, distances, CUBE, [1], Teasar()))


def test_no_more_paths_are_drawn_than_allowed() -> None:
    volume = drawn(draw_plate, 5)
    many, few = (trace_all(volume, CUBE, MUCH._replace(max_paths=most))[1] for most in (None, 3))
    assert facts_of(in_nm(many, CUBE)).terminals > 10
    assert 2 <= facts_of(in_nm(few, CUBE)).terminals <= 4


def soma_with_arms(hole: bool) -> Volume:
    volume = np.zeros((60, 56, 52), np.uint64, order="F")
    for end in [(2, 28, 26), (57, 30, 26), (30, 3, 20), (30, 28, 50)]:
        for t in np.linspace(0, 1, 100):
            draw_ball(volume, np.array([30.0, 28, 26]) * (1 - t) + np.array(end) * t, 1.8, np.uint64(1))
    draw_ball(volume, np.array([30.0, 28, 26]), 12.0, np.uint64(1))
    if hole:
        draw_ball(volume, np.array([31.0, 28, 26]), 3.0, np.uint64(0))
    return volume


@pytest.mark.parametrize("hole", [False, True])
@pytest.mark.parametrize("fix_branching", [True, False])
def test_arms_of_a_soma_go_straight_to_its_middle(hole: bool, fix_branching: bool) -> None:
    volume = soma_with_arms(hole)
    teasar = Teasar(
        scale=1,
        const=3,
        soma_detection_threshold=2.5,
        soma_acceptance_threshold=8,
        soma_invalidation_scale=1,
        soma_invalidation_const=1,
        fix_branching=fix_branching,
    )
    one = trace_all(volume, CUBE, teasar)[1]
    facts = facts_of(in_nm(one, CUBE))
    assert (facts.components, facts.loops) == (1, 0)
    arms = np.bincount(one.edges.ravel(), minlength=len(one.vertices))
    middle = int(np.argmax(one.radius))
    assert one.radius[middle] > 11
    assert arms[middle] == facts.terminals == 4
    away = np.linalg.norm(one.vertices - one.vertices[middle], axis=1)
    assert np.flatnonzero(away <= one.radius[middle] + 1).tolist() == [middle]
    theirs = by_kimimaro(volume, CUBE, teasar)[1]
    assert facts.cable == pytest.approx(facts_of(theirs).cable, rel=0.02)


def test_targets_in_a_soma_are_tied_to_its_middle() -> None:
    teasar = Teasar(soma_detection_threshold=2.5, soma_acceptance_threshold=8, soma_invalidation_const=0)
    targets = {1: Targets(voxels((30, 28, 20), (2, 28, 26)), NO_VOXELS)}
    one = trace_all(soma_with_arms(hole=False), CUBE, teasar, targets)[1]
    rows = one.vertices.tolist()
    assert [30, 28, 20] in rows
    assert [2, 28, 26] in rows
    assert facts_of(in_nm(one, CUBE)).components == 1


def test_a_part_of_a_soma_leaves_its_arms_their_paths() -> None:
    volume = soma_with_arms(hole=False)
    teasar = Teasar(
        scale=4, const=2, soma_detection_threshold=6, soma_acceptance_threshold=100, soma_invalidation_const=1
    )
    arm = {1: Targets(voxels((2, 28, 26)), NO_VOXELS)}
    ends = [(57, 30, 26), (30, 3, 20), (30, 28, 50)]
    for targets, lost in ((None, True), (arm, False)):
        one = trace_all(volume, CUBE, teasar, targets)[1]
        gaps = [np.linalg.norm(one.vertices - np.array(end), axis=1).min() for end in ends]
        assert (max(gaps) > 4) == lost
