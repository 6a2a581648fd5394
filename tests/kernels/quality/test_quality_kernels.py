from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from teravox.kernels.quality.cuts import count_cuts
from teravox.kernels.quality.near_planes import count_near, find_ends, open_edges
from teravox.kernels.quality.paint import paint_coverage, paint_gray, paint_labels
from teravox.kernels.quality.shrink import shrink
from teravox.kernels.quality.size_classes import count_classes

Labels = NDArray[np.uint64]

CUBE = np.array(
    [
        [0, 1, 3],
        [0, 3, 2],
        [4, 7, 5],
        [4, 6, 7],
        [0, 5, 1],
        [0, 4, 5],
        [2, 3, 7],
        [2, 7, 6],
        [0, 2, 6],
        [0, 6, 4],
        [1, 5, 7],
        [1, 7, 3],
    ],
    np.uint32,
)


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint64, (5, 4), elements=st.integers(0, 3)), arrays(np.uint64, (5, 4), elements=st.integers(0, 3)))
def test_a_cut_is_a_pair_that_differs_among_those_with_a_label(below: Labels, above: Labels) -> None:
    pairs = [(int(a), int(b)) for a, b in zip(below.ravel(), above.ravel(), strict=True) if a or b]
    assert count_cuts(below, above) == (sum(a != b for a, b in pairs), len(pairs))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-50, 50), max_size=30), st.lists(st.integers(-50, 50), min_size=1, max_size=8, unique=True))
def test_what_is_near_a_plane_is_counted(places: list[float], planes: list[int]) -> None:
    at = np.array(planes, float)
    near = [sum(plane - 1 <= place <= plane + 1 for place in places) for plane in planes]
    assert count_near(np.array(places), at, 1.0).tolist() == near


def test_a_closed_surface_has_no_open_edge_and_one_without_a_face_has_three() -> None:
    assert len(open_edges(CUBE)) == 0
    assert sorted(map(tuple, open_edges(CUBE[1:]).tolist())) == [(0, 1), (0, 3), (1, 3)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_ends_are_the_vertices_of_a_single_edge(edges: list[tuple[int, int]]) -> None:
    graph = nx.Graph((a, b) for a, b in edges if a != b)
    ends = find_ends(10, np.array(edges, np.uint32).reshape(-1, 2))
    assert ends.tolist() == sorted(vertex for vertex, degree in graph.degree() if degree == 1)


def test_a_label_has_the_same_color_wherever_it_is_and_background_is_black() -> None:
    labels = np.arange(0, 400, dtype=np.uint64)
    colors = paint_labels(labels)
    assert np.array_equal(paint_labels(labels[::-1].reshape(20, 20)).reshape(-1, 3), colors[::-1])
    assert not colors[0].any()
    assert colors[1:].max(axis=1).min() > 60
    assert len(np.unique(colors, axis=0)) > 300


def test_gray_is_stretched_between_black_and_white() -> None:
    values = np.array([-5, 10, 15, 20, 99, np.nan], np.float32)
    assert paint_gray(values, 10, 20).tolist() == [0, 0, 128, 255, 255, 0]


def test_what_is_not_there_has_another_color_than_what_is_partly_there() -> None:
    colors = paint_coverage(np.array([0.0, 0.001, 0.999, 1.0]))
    assert len(np.unique(colors, axis=0)) == 3
    assert np.array_equal(colors[1], colors[2])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=50))
def test_size_classes_are_powers_of_two(sizes: list[int]) -> None:
    counts = count_classes(np.array(sizes, np.uint64))
    assert counts.tolist() == [sum(size.bit_length() - 1 == k for size in sizes) for k in range(len(counts))]
    assert counts.sum() == len(sizes)


def test_a_hole_is_seen_in_a_small_picture_of_a_large_grid() -> None:
    whole = np.ones((1000, 7))
    whole[501, 3] = 0.5
    small = shrink(whole, 100)
    assert small.shape == (100, 7)
    assert (small < 1).sum() == 1
    assert small[50, 3] == 0.95
    assert np.array_equal(shrink(whole, 1000), whole)
