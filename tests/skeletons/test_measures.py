"""Measures of skeletons, against numbers that can be counted by hand and against networkx."""

from __future__ import annotations

import math

import networkx as nx  # type: ignore[import-untyped, unused-ignore]  # it has no types
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skeletons.skeletal_layers import BIG, RESOLUTION, some_skeletons

from teravox.kernels.skeleton.measures import Measures, measure


def measured(label: int) -> Measures:
    one = some_skeletons()[label]
    return measure(one.vertices, one.edges, one.attributes["radius"])


def test_a_wire_is_as_long_as_its_voxels() -> None:
    wire = measured(7)
    assert wire[:6] == (36, 35, 1, 0, 2, 0)
    assert wire.cable_length == 35 * RESOLUTION[0]


def test_a_tree_in_two_parts_has_its_ends_and_its_branch_point() -> None:
    assert measured(300)[:6] == (7, 5, 2, 0, 5, 1)


def test_a_ring_with_a_tail_has_a_loop() -> None:
    ring = measured(BIG)
    assert ring[:6] == (5, 5, 1, 1, 1, 1)
    assert ring.cable_length == pytest.approx(8 * RESOLUTION[0] + math.hypot(*RESOLUTION[:2]), rel=1e-6)


def test_radii_are_those_of_the_vertices() -> None:
    radius = some_skeletons()[7].attributes["radius"].astype(float)
    assert measured(7)[7:] == (radius.mean(), radius.min(), radius.max())


def test_where_there_is_no_radius_none_is_told() -> None:
    one = some_skeletons()[7]
    assert np.isnan(measure(one.vertices, one.edges, None)[7:]).all()


def test_nothing_measures_nothing() -> None:
    nothing = measure(np.empty((0, 3), np.float32), np.empty((0, 2), np.uint32), np.empty(0, np.float32))
    assert nothing[:7] == (0, 0, 0, 0, 0, 0, 0.0)


@given(st.integers(1, 20), st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40), st.integers(0, 99))
def test_any_graph_is_measured_as_networkx_does(count: int, pairs: list[tuple[int, int]], seed: int) -> None:
    edges = np.array(pairs, np.uint32).reshape(-1, 2) % count
    vertices = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    graph = nx.Graph((a, b) for a, b in edges.tolist() if a != b)
    graph.add_nodes_from(range(count))
    found = measure(vertices, edges, None)
    degrees = [degree for _, degree in graph.degree]
    assert found[:6] == (
        count,
        graph.number_of_edges(),
        nx.number_connected_components(graph),
        len(nx.cycle_basis(graph)),
        degrees.count(1),
        sum(degree > 2 for degree in degrees),
    )
    length = sum(float(np.linalg.norm(vertices[a].astype(float) - vertices[b])) for a, b in graph.edges)
    assert found.cable_length == pytest.approx(length)
