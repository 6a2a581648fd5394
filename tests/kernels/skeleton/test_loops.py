"""Skeletons become forests, which are otherwise as they were."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skeletons.graphs import SLACK, ends_of, graph_of, is_forest, line, parts_of, path, points_of, some

from teravox.kernels.scratch import IN_MEMORY
from teravox.kernels.skeleton.branches import find_branches
from teravox.kernels.skeleton.loops import open_loops
from teravox.kernels.skeleton.skeleton import Edges, Skeleton
from teravox.kernels.skeleton.weld import weld


def opened(fragments: list[Skeleton]) -> tuple[Skeleton, Edges]:
    skeleton, piece = weld(fragments)
    return skeleton, open_loops(points_of(skeleton), skeleton.edges, skeleton.radius, piece, SLACK)


def ring(size: int, pinched: int) -> Skeleton:
    """A square of single voxels; its edge of this number is the narrowest."""
    a, b, c, d = (0, 0, 0), (size, 0, 0), (size, size, 0), (0, size, 0)
    points = [p.tolist() for x, y in ((a, b), (b, c), (c, d), (d, a)) for p in line(x, y).vertices[:-1]]
    skeleton = path([*points, points[0]])
    skeleton.radius[[pinched, pinched + 1]] = 3
    return (
        skeleton._replace(vertices=skeleton.vertices[:-1], edges=skeleton.edges % np.uint32(4 * size))
        .taken(np.arange(4 * size))
        ._replace(edges=skeleton.edges % np.uint32(4 * size))
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(0, 90), st.booleans())
def test_what_is_left_is_a_forest_with_the_same_parts_and_ends(
    seed: int, vertices: int, edges: int, several: bool
) -> None:
    skeleton = some(seed, vertices, edges, 30)
    piece = np.random.default_rng(seed).integers(0, 1 + several, vertices).astype(np.int32)
    left = open_loops(points_of(skeleton), skeleton.edges, skeleton.radius, piece, SLACK)
    assert set(map(tuple, left.tolist())) <= set(map(tuple, skeleton.edges.tolist()))
    assert is_forest(left, vertices)
    assert ends_of(skeleton.edges, vertices) <= ends_of(left, vertices)
    gone = {v for v in range(vertices) if graph_of(skeleton.edges, vertices).degree(v)} - set(left.ravel().tolist())
    apart = [part - gone for part in parts_of(left, vertices) if not part <= gone]
    assert set(apart) == {part - gone for part in parts_of(skeleton.edges, vertices)}
    if not several:
        assert not gone
        assert len(left) == vertices - nx.number_connected_components(graph_of(skeleton.edges, vertices))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(0, 60))
def test_branches_have_every_edge_once(seed: int, vertices: int, edges: int) -> None:
    skeleton = some(seed, vertices, edges)
    branches = find_branches(skeleton.edges, vertices, IN_MEMORY)
    found = []
    degrees = dict(graph_of(skeleton.edges, vertices).degree)
    for start, stop in zip(branches.starts[:-1], branches.starts[1:], strict=True):
        along = branches.path[start:stop].tolist()
        found += [tuple(sorted(pair)) for pair in pairwise(along)]
        assert all(degrees[vertex] == 2 for vertex in along[1:-1])
        assert along[0] == along[-1] or all(degrees[vertex] != 2 for vertex in (along[0], along[-1]))
    assert sorted(found) == sorted(map(tuple, skeleton.edges.tolist()))


def test_a_ring_is_opened_at_its_narrowest_edge() -> None:
    skeleton, left = opened([ring(20, 33)])
    assert len(left) == len(skeleton.edges) - 1
    (missing,) = set(map(tuple, skeleton.edges.tolist())) - set(map(tuple, left.tolist()))
    assert skeleton.radius[list(missing)].tolist() == [3, 3]


def test_one_of_two_traces_of_a_wire_goes_as_a_whole() -> None:
    """The plane between two pieces runs along a wire of 100 nm, which both have traced from end to end."""
    thick = [line((0, 0, 0), (60, 0, 0), 100), line((3, 0, 0), (3, 4, 0), 100), line((50, 0, 0), (50, 4, 0), 100)]
    thin = line((3, 4, 0), (50, 4, 0), 60)
    skeleton, left = opened([*thick, thin])
    assert is_forest(left, len(skeleton.vertices))
    kept = set(map(tuple, skeleton.vertices[np.unique(left)].tolist()))
    assert {tuple(row) for row in thick[0].vertices.tolist()} <= kept
    assert not {tuple(row) for row in thin.vertices[1:-1].tolist()} & kept


def test_a_true_loop_across_pieces_is_cut_once() -> None:
    """Two arms that meet again 40 voxels away from each other."""
    one = [line((0, 0, 0), (0, 40, 0)), line((0, 40, 0), (40, 40, 0)), line((-9, 0, 0), (0, 0, 0))]
    other = [line((0, 0, 0), (40, 0, 0)), line((40, 0, 0), (40, 40, 0)), line((40, 40, 0), (49, 40, 0))]
    skeleton, left = opened([*one, *other])
    assert len(left) == len(skeleton.edges) - 1


def test_of_two_loops_at_one_vertex_something_stays() -> None:
    """Each runs beside the other, and beside the vertex that they have in common."""
    one = path([(2, 3, 12), (2, 2, 11), (2, 1, 12)], 120), path([(2, 1, 12), (2, 2, 13), (2, 3, 12)], 120)
    other = path([(2, 3, 12), (2, 4, 11), (2, 4, 12)], 120), path([(2, 4, 12), (2, 4, 13), (2, 3, 12)], 120)
    skeleton, left = opened([*one, *other])
    assert len(left) > 0
    assert is_forest(left, len(skeleton.vertices))
