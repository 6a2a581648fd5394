"""Short branches go, the shortest first, and so does what pieces traced beside each other."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skeletons.graphs import NO_BALL, SLACK, STEP, ends_of, graph_of, is_forest, line, path, points_of, some_tree

from teravox.kernels.scratch import IN_MEMORY
from teravox.kernels.skeleton.heap import pop, push
from teravox.kernels.skeleton.skeleton import Edges, Skeleton
from teravox.kernels.skeleton.ticks import remove_ticks
from teravox.kernels.skeleton.trunk import Ball
from teravox.kernels.skeleton.weld import weld


def pruned(fragments: list[Skeleton], shortest: float = 0.0, ball: Ball = NO_BALL) -> tuple[Skeleton, Edges]:
    skeleton, piece = weld(fragments)
    left = remove_ticks(points_of(skeleton), skeleton.edges, skeleton.radius, piece, SLACK, ball, shortest, IN_MEMORY)
    return skeleton, left


def kept_voxels(skeleton: Skeleton, edges: Edges) -> set[tuple[int, ...]]:
    return {tuple(row) for row in skeleton.vertices[np.unique(edges)].tolist()}


def pruned_slowly(skeleton: Skeleton, shortest: float) -> nx.Graph[int]:
    """By looking for the shortest end branch of the whole again and again."""
    points = points_of(skeleton)
    graph = graph_of(skeleton.edges, len(points))
    while True:
        found = []
        for end in [v for v, degree in graph.degree if degree == 1]:
            way, length = [end], 0.0
            while len(way) == 1 or graph.degree(way[-1]) == 2:
                (after,) = set(graph[way[-1]]) - set(way[-2:-1])
                length += float(np.linalg.norm(points[way[-1]] - points[after]))
                way.append(after)
            if graph.degree(way[-1]) > 2 and length < shortest:
                found.append((length, way[:-1]))
        if not found:
            return graph
        graph.remove_nodes_from(min(found)[1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 120), st.floats(0, 700))
def test_ticks_are_those_that_a_search_for_the_shortest_finds(seed: int, vertices: int, shortest: float) -> None:
    skeleton = some_tree(seed, vertices)
    random = np.random.default_rng(seed)  # so that no two branches are equally long
    points = points_of(skeleton) + random.uniform(0, 1e-3, (vertices, 3))
    odd = skeleton._replace(vertices=points / np.array(STEP))
    left = remove_ticks(
        points, skeleton.edges, skeleton.radius, np.zeros(vertices, np.int32), SLACK, NO_BALL, shortest, IN_MEMORY
    )
    slowly = pruned_slowly(odd, shortest)
    assert set(map(tuple, left.tolist())) == {tuple(sorted(edge)) for edge in slowly.edges}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 80), st.floats(0, 300), st.integers(1, 4))
def test_a_tree_stays_a_tree_whose_ends_are_old_ones(seed: int, vertices: int, shortest: float, pieces: int) -> None:
    skeleton = some_tree(seed, vertices)
    piece = np.random.default_rng(seed).integers(-1, pieces, vertices).astype(np.int32)
    left = remove_ticks(
        points_of(skeleton), skeleton.edges, skeleton.radius, piece, SLACK, Ball(4, 10), shortest, IN_MEMORY
    )
    graph = nx.Graph(left.tolist())
    assert nx.is_tree(graph)
    assert ends_of(left, vertices) <= ends_of(skeleton.edges, vertices)


def test_a_branch_point_with_two_arms_left_is_none() -> None:
    """A row of 200 nm ticks: none of them keeps another from being part of the long way."""
    comb = [line((0, 0, 0), (100, 0, 0))] + [line((x, 0, 0), (x, 12, 0)) for x in (20, 50, 80)]
    skeleton, left = pruned(comb, 210)
    assert kept_voxels(skeleton, left) == {(x, 0, 0) for x in range(101)}


def test_a_part_that_is_shorter_than_a_tick_keeps_its_longest_way() -> None:
    skeleton, left = pruned([line((0, 0, 0), (6, 0, 0)), line((2, 0, 0), (2, 1, 0))], 5000)
    assert kept_voxels(skeleton, left) == {(x, 0, 0) for x in range(7)}


def test_of_two_ends_beside_each_other_the_longer_stays() -> None:
    """A wire of 90 nm ends on both sides of a plane."""
    wire = [line((0, 0, 0), (40, 0, 0), 90), line((40, 0, 0), (40, 3, 0), 90)]
    skeleton, left = pruned([*wire, line((40, 3, 0), (70, 3, 0), 90), line((40, 0, 0), (80, 0, 0), 90)])
    assert kept_voxels(skeleton, left) == {(x, 0, 0) for x in range(81)}


def test_a_fork_of_one_piece_stays() -> None:
    fork = weld([line((0, 0, 0), (80, 0, 0), 90), line((40, 0, 0), (70, 3, 0), 90)]).skeleton
    skeleton, left = pruned([fork])
    assert len(ends_of(left, len(skeleton.vertices))) == 3


def test_a_branch_across_a_plane_that_its_trunk_reaches_goes() -> None:
    """Within 4 * 60 nm of the trunk no path begins, wherever the plane lies; 15 voxels are 240 nm."""
    trunk = line((0, 0, 0), (100, 0, 0), 60)
    for tip, stays in ((14, False), (18, True)):
        stem, top = line((50, 0, 0), (50, 5, 0), 8), line((50, 5, 0), (50, tip, 0), 8)
        first = weld([trunk, stem]).skeleton
        skeleton, left = pruned([first, top], ball=Ball(4, 10))
        assert ((50, tip, 0) in kept_voxels(skeleton, left)) == stays
        whole, left = pruned([weld([first, top]).skeleton], ball=Ball(4, 10))
        assert (50, tip, 0) in kept_voxels(whole, left)  # which one piece has judged already


def test_single_voxels_and_nothing_are_left_alone() -> None:
    skeleton, left = pruned([path([(3, 4, 5)])], 1000)
    assert len(skeleton.vertices) == 1
    assert left.shape == (0, 2)
    assert is_forest(left, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=40))
def test_a_heap_gives_things_in_order(keys: list[int]) -> None:
    room, things = np.empty(len(keys)), np.empty(len(keys), np.int64)
    size = 0
    for thing, key in enumerate(keys):
        size = push(room, things, size, float(key), thing)
    found = []
    while size:
        size = pop(room, things, size)
        found.append((room[size], things[size]))
    assert found == sorted((float(key), thing) for thing, key in enumerate(keys))
