from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from teravox.kernels.segmentation.agglomerate.mean_boundary import agglomerate as mean_boundary
from teravox.kernels.segmentation.agglomerate.none import agglomerate as none
from teravox.kernels.segmentation.agglomerate.size_filter import agglomerate as size_filter
from teravox.kernels.segmentation.agglomerate.waterz import agglomerate as waterz
from teravox.kernels.segmentation.region_graph import ONE, boundary_maps, region_graph

Floats = NDArray[np.float32]
Labels = NDArray[np.uint32]
Pair = tuple[int, int]

STEPS = {"none": none, "mean-boundary": mean_boundary, "size-filter": size_filter, "waterz": waterz}


def pieces(shape: tuple[int, ...], seed: int, number: int = 12) -> Labels:
    """Supervoxels around random places, with gaps in the numbers, some voxels of 0 and nothing in one plane."""
    rng = np.random.default_rng(seed)
    places = np.zeros(shape, np.uint32)
    where = tuple(rng.integers(0, side, number) for side in shape)
    places[where] = rng.choice(np.arange(1, 5 * number), number, replace=False)
    nearest = ndimage.distance_transform_edt(places == 0, return_distances=False, return_indices=True)
    labels = places[tuple(nearest)]
    labels[rng.random(shape) < 0.1] = 0
    labels[:, :, shape[2] // 2] = 0
    return np.ascontiguousarray(labels)


def some_boundary(shape: tuple[int, ...], seed: int, values: int = 65536) -> Floats:
    """Values of a few steps have many ties."""
    rng = np.random.default_rng(seed)
    return (rng.integers(0, values, shape) / (values - 1)).astype(np.float32)[..., np.newaxis]


def by_faces(labels: Labels, boundary: Floats) -> dict[Pair, list[int]]:
    """Of each pair that touches: the sum of boundary in ONEs, and the faces; three channels are affinities."""
    affinities = boundary.shape[3] == 3
    found: dict[Pair, list[int]] = {}
    for axis in range(3):
        values = 1 - boundary[..., axis] if affinities else boundary[..., 0]
        whole = np.floor(values * np.float32(ONE) + np.float32(0.5)).astype(np.int64)
        here, there = (np.moveaxis(array, axis, 0) for array in (labels, whole))
        lows = there[1:] if affinities else there[:-1]
        for one, other, low, high in zip(here[:-1].flat, here[1:].flat, lows.flat, there[1:].flat, strict=True):
            if one and other and one != other:
                at = found.setdefault((min(int(one), int(other)), max(int(one), int(other))), [0, 0])
                at[0] += int(low) + int(high)
                at[1] += 1
    return found


def contract(pairs: dict[Pair, list[int]], kept: int, gone: int, order: dict[Pair, Pair]) -> None:
    """Join two groups in place; `order` says of each pair of groups which pair of supervoxels it began with."""
    for pair in [pair for pair in pairs if gone in pair]:
        one, faces = pairs.pop(pair)
        first = order.pop(pair)
        beside = pair[0] + pair[1] - gone
        if beside == kept:
            continue
        new = (min(kept, beside), max(kept, beside))
        before = pairs.setdefault(new, [0, 0])
        before[0] += one
        before[1] += faces
        order[new] = min(first, order.get(new, first))


def linked(labels: Labels, boundary: Floats, threshold: float) -> dict[int, int]:
    """By supervoxel its group: always the pair with the lowest mean, by its definition."""
    pairs = by_faces(labels, boundary)
    order = {pair: pair for pair in pairs}
    group = {int(label): int(label) for label in np.unique(labels) if label}
    while pairs:
        pair = min(pairs, key=lambda one: (Fraction(pairs[one][0], pairs[one][1]), order[one]))
        if pairs[pair][0] / pairs[pair][1] >= threshold * 2 * ONE:
            break
        contract(pairs, *pair, order)
        group = {label: pair[0] if to == pair[1] else to for label, to in group.items()}
    return group


def filtered(labels: Labels, boundary: Floats, min_size: int) -> dict[int, int]:
    """By supervoxel its group: always the smallest one to the neighbour with the lowest mean, by its definition."""
    pairs = by_faces(labels, boundary)
    order = {pair: pair for pair in pairs}
    group = {int(label): int(label) for label in np.unique(labels) if label}
    sizes = {label: int((labels == label).sum()) for label in group}
    alone: set[int] = set()
    while True:
        small = [label for label, size in sizes.items() if size < min_size and label not in alone]
        if not small:
            return group
        one = min(small, key=lambda label: (sizes[label], label))
        beside = [pair for pair in pairs if one in pair]
        if not beside:
            alone.add(one)
            continue
        pair = min(beside, key=lambda two: (Fraction(pairs[two][0], pairs[two][1]), order[two]))
        contract(pairs, *pair, order)
        sizes[pair[0]] += sizes.pop(pair[1])
        group = {label: pair[0] if to == pair[1] else to for label, to in group.items()}


def mapped(labels: Labels, group: dict[int, int]) -> Labels:
    table = np.zeros(int(labels.max()) + 1, np.uint32)
    for label, to in group.items():
        table[label] = to
    return np.asarray(table[labels])


boxes = st.tuples(st.integers(1, 5), st.integers(1, 8), st.integers(2, 9))


@given(shape=boxes, number=st.integers(1, 30), seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_region_graph_counts_faces_between_labels_that_are_not_0(
    shape: tuple[int, int, int], number: int, seed: int
) -> None:
    labels, boundary = pieces(shape, seed, number), some_boundary(shape, seed)
    graph = region_graph(labels, boundary_maps(boundary, 0, affinities=False))
    expected = by_faces(labels, boundary)
    pairs = list(zip(graph.labels[graph.low].tolist(), graph.labels[graph.high].tolist(), strict=True))
    assert pairs == sorted(expected)
    assert [[int(one), int(two)] for one, two in zip(graph.boundary, graph.faces, strict=True)] == [
        expected[pair] for pair in pairs
    ]
    found, sizes = np.unique(labels[labels > 0], return_counts=True)
    assert np.array_equal(graph.labels, found)
    assert np.array_equal(graph.sizes, sizes)


def test_the_region_graph_has_room_for_any_number_of_pairs() -> None:
    labels = np.arange(1, 24**3 + 1, dtype=np.uint32).reshape(24, 24, 24)
    graph = region_graph(labels, np.ones((1, *labels.shape), np.float32))
    assert len(graph.low) == 3 * 23 * 24 * 24
    assert np.all(graph.boundary == 2 * ONE)


@given(
    shape=boxes,
    number=st.integers(1, 30),
    values=st.sampled_from([2, 4, 65536]),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_mean_boundary_joins_as_its_definition_says(
    shape: tuple[int, int, int], number: int, values: int, threshold: float, seed: int
) -> None:
    labels, boundary = pieces(shape, seed, number), some_boundary(shape, seed, values)
    joined = mean_boundary(boundary, labels, threshold=threshold)
    assert np.array_equal(joined, mapped(labels, linked(labels, boundary, threshold)))


@given(
    shape=boxes,
    number=st.integers(1, 30),
    values=st.sampled_from([2, 65536]),
    min_size=st.integers(0, 40),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_the_size_filter_joins_as_its_definition_says(
    shape: tuple[int, int, int], number: int, values: int, min_size: int, seed: int
) -> None:
    labels, boundary = pieces(shape, seed, number), some_boundary(shape, seed, values)
    joined = size_filter(boundary, labels, min_size=min_size)
    assert np.array_equal(joined, mapped(labels, filtered(labels, boundary, min_size)))
    dropped = size_filter(boundary, labels, min_size=min_size, action="drop")
    assert np.array_equal(dropped, np.where((np.bincount(labels.flat) >= min_size)[labels], labels, 0))


@given(shape=boxes, number=st.integers(1, 30), seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_affinities_count_on_the_faces_between_their_voxels(
    shape: tuple[int, int, int], number: int, seed: int
) -> None:
    labels, affinities = pieces(shape, seed, number), some_boundary((*shape, 3), seed)[..., 0]
    joined = mean_boundary(affinities, labels, threshold=0.5, affinities=True)
    assert np.array_equal(joined, mapped(labels, linked(labels, affinities, 0.5)))
    filtered_ones = size_filter(affinities, labels, min_size=9, affinities=True)
    assert np.array_equal(filtered_ones, mapped(labels, filtered(labels, affinities, 9)))


@pytest.mark.parametrize("background", [0, 5])
def test_labels_may_be_large(background: int) -> None:
    labels, boundary = pieces((3, 6, 8), 4), some_boundary((3, 6, 8), 4)
    labels[labels == 0] = background
    large = np.where(labels > 0, labels + np.uint32(4_000_000_000), 0).astype(np.uint32)
    for step in (mean_boundary, size_filter):
        small = step(boundary, labels)
        expected = np.where(small > 0, small + np.uint32(4_000_000_000), 0)
        assert np.array_equal(step(boundary, large), expected)


def test_many_segments_around_a_few_large_ones_are_joined_as_by_definition() -> None:
    labels = np.arange(1, 13 * 13 + 1, dtype=np.uint32).reshape(1, 13, 13).repeat(2, 2)
    labels[:, 6] = 7
    labels[:, :, 12] = 7
    boundary = some_boundary(labels.shape, 3)
    joined = mean_boundary(boundary, labels, threshold=0.42)
    assert np.array_equal(joined, mapped(labels, linked(labels, boundary, 0.42)))
    assert 1 < len(np.unique(joined)) < len(np.unique(labels))


def test_waterz_joins_what_has_high_affinities_between() -> None:
    labels = np.repeat(np.array([3, 5, 9, 12], np.uint32), 4)[np.newaxis, np.newaxis].repeat(6, 1).repeat(2, 0)
    labels = np.ascontiguousarray(labels)
    boundary = np.zeros((*labels.shape, 1), np.float32)
    boundary[:, :, 7:9] = 0.9
    boundary[:, :, 12] = 0.2
    expected = [3, 3, 9, 9]
    for scoring in ("mean", "quantile"):
        joined = waterz(boundary, labels, threshold=0.5, scoring=scoring)
        assert joined[0, 0, ::4].tolist() == expected
        assert np.array_equal(joined, mapped(labels, dict(zip([3, 5, 9, 12], expected, strict=True))))
    edges = np.ones((*labels.shape, 3), np.float32)
    edges[:, :, 4, 2] = 0.1
    assert waterz(edges, labels, threshold=0.5, affinities=True)[0, 0, ::4].tolist() == [3, 5, 5, 5]


def test_a_quantile_of_waterz_is_another_score_than_the_mean() -> None:
    labels = np.ascontiguousarray(np.array([1, 1, 2, 2], np.uint32)[np.newaxis, np.newaxis].repeat(10, 1))
    boundary = np.zeros((*labels.shape, 1), np.float32)
    boundary[0, :4, 2] = 1  # of ten affinities four are 0
    assert len(np.unique(waterz(boundary, labels, threshold=0.3))) == 2
    assert len(np.unique(waterz(boundary, labels, threshold=0.3, scoring="quantile", quantile=70))) == 1


def test_waterz_writes_nothing_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    print("before")
    waterz(some_boundary((3, 8, 8), 1), pieces((3, 8, 8), 1))
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_two_runs_are_the_same_and_ids_are_those_of_supervoxels(step: Callable[..., Labels]) -> None:
    labels, boundary = pieces((8, 16, 16), 6, 60), some_boundary((8, 16, 16), 6)
    before = labels.copy()
    labels.flags.writeable = boundary.flags.writeable = False
    one, other = step(boundary, labels), step(boundary, labels)
    assert one.dtype == np.uint32
    assert one.tobytes() == other.tobytes()
    assert np.array_equal(labels, before)
    assert set(np.unique(one)) <= set(np.unique(labels))
    assert np.array_equal(one == 0, labels == 0)
    # nothing is joined across voxels without labels: each group is one piece by its faces, if its supervoxels are
    whole = cc3d.connected_components(labels, connectivity=6).astype(np.uint32)
    joined = step(boundary, whole)
    _, number = cc3d.connected_components(joined, connectivity=6, return_N=True)
    assert number == len(np.unique(joined[joined > 0]))


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("shape", [(0, 2, 2), (1, 1, 1), (1, 5, 6), (4, 1, 1)])
def test_boxes_with_one_label_or_none_stay(step: Callable[..., Labels], shape: tuple[int, ...]) -> None:
    boundary = np.zeros((*shape, 1), np.float32)
    for label in (0, 1, 70000):
        labels = np.full(shape, label, np.uint32)
        assert np.array_equal(step(boundary, labels), labels)


@pytest.mark.parametrize("step", [mean_boundary, size_filter, waterz])
def test_what_does_not_fit_is_refused(step: Callable[..., Labels]) -> None:
    labels, boundary = pieces((2, 3, 4), 0), some_boundary((2, 3, 4), 0)
    with pytest.raises(ValueError, match="not uint32 of"):
        step(boundary, labels.astype(np.uint64))
    with pytest.raises(ValueError, match="not uint32 of"):
        step(boundary, labels[:1])
    with pytest.raises(ValueError, match="not numbers"):
        step(np.full_like(boundary, np.nan), labels)
    with pytest.raises(ValueError, match="no channel 3"):
        step(boundary, labels, boundary_channel=3)


@pytest.mark.parametrize(
    ("step", "wrong", "sentence"),
    [
        (mean_boundary, {"threshold": 1.2}, "threshold is 1.2, but must be from 0 to 1"),
        (size_filter, {"min_size": -2}, "min_size is -2, but must be at least 0"),
        (size_filter, {"action": "keep"}, "action is 'keep', but must be join or drop"),
        (waterz, {"scoring": "max"}, "scoring is 'max', but must be mean or quantile"),
        (waterz, {"quantile": 12}, "quantile is 12, but must be one of 10, 15"),
        (waterz, {"affinities": True}, "the prediction has 1 channels, not the 3 of affinities"),
    ],
)
def test_wrong_parameters_are_refused(step: Callable[..., Labels], wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        step(some_boundary((2, 3, 4), 0), pieces((2, 3, 4), 0), **wrong)
