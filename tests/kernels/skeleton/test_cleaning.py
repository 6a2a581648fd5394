"""All that is done to the fragments of a label, beside kimimaro's postprocess where that is right."""

from __future__ import annotations

from typing import Any

import kimimaro
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteoid import Skeleton as Osteoid
from skeletons.graphs import NO_BALL, STEP, graph_of, line, path, points_of, some_tree

from teravox.kernels.skeleton.cleaning import Wish, clean
from teravox.kernels.skeleton.components import cable_length
from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.somata import Soma
from teravox.kernels.skeleton.trunk import Ball

NO_SOMA = Soma(1e9, 1.0, 0.0)


def wish(least: float = 0.0, tick: float = 0.0, **options: Any) -> Wish:  # Any: what the fields are
    return Wish(
        **{"ball": NO_BALL, "soma": NO_SOMA, "most_cable": None, "join": True} | options, least_cable=least, tick=tick
    )


def cable(skeleton: Skeleton) -> float:
    return cable_length(points_of(skeleton), skeleton.edges)


def by_kimimaro(fragments: list[Skeleton], least: float, tick: float) -> Osteoid:
    theirs = [Osteoid(points_of(one).astype("f4"), one.edges, one.radius.copy()) for one in fragments]
    return kimimaro.postprocess(Osteoid.simple_merge(theirs), dust_threshold=least, tick_threshold=tick)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 80), st.integers(1, 3), st.sampled_from([0.0, 200.0, 600.0]))
def test_dust_is_what_kimimaro_takes_for_it(seed: int, vertices: int, parts: int, least: float) -> None:
    trees = [some_tree(seed + part, vertices).moved((part * 1000, 0, 0)) for part in range(parts)]
    made = clean(trees, STEP, wish(least=least, join=False))
    assert cable(made) == pytest.approx(by_kimimaro(trees, least, 0).cable_length(), rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.sampled_from([100.0, 300.0]))
def test_ticks_are_those_of_kimimaro_but_what_is_left_is_one_piece(seed: int, vertices: int, tick: float) -> None:
    """Theirs takes a branch that it has made of two for an end, and drops it from between two branch points."""
    tree = some_tree(seed, vertices)
    made = clean([tree], STEP, wish(tick=tick))
    theirs = by_kimimaro([tree], 0, tick)
    assert nx.is_tree(graph_of(made.edges, len(made.vertices)))
    if len(theirs.components()) == 1:
        assert cable(made) >= theirs.cable_length() * (1 - 1e-4)
    if vertices < 12:
        assert cable(made) == pytest.approx(theirs.cable_length(), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_of_fragments_changes_nothing(seed: int, parts: int, random: Any) -> None:  # Any: of hypothesis
    trees = [some_tree(seed + part, 40).moved((part, 2 * part, 0)) for part in range(parts)]
    shuffled = random.sample(trees, len(trees))
    one, other = (clean(some, STEP, wish(tick=60, ball=Ball(4, 10))) for some in (trees, shuffled))
    assert np.array_equal(one.vertices, other.vertices)
    assert np.array_equal(one.edges, other.edges)
    assert np.array_equal(one.radius, other.radius)
    again = clean([one], STEP, wish(tick=60, ball=Ball(4, 10)))
    assert np.array_equal(again.edges, one.edges)


def test_dust_that_is_near_a_part_is_joined_before_it_is_weighed() -> None:
    """Where kimimaro drops it first, the wire ends there."""
    fragments = [line((0, 0, 0), (100, 0, 0)), line((102, 0, 0), (120, 0, 0)), line((122, 0, 0), (220, 0, 0))]
    made = clean(fragments, STEP, wish(least=1000))
    assert nx.is_connected(graph_of(made.edges, len(made.vertices)))
    assert len(made.vertices) == 219
    assert len(clean(fragments, STEP, wish(least=1000, join=False)).vertices) == 200


def test_components_are_dust_by_their_own_cable() -> None:
    fragments = [line((0, 0, 0), (10, 0, 0)), line((0, 50, 0), (9, 50, 0)), path([(70, 70, 70)])]
    assert len(clean(fragments, STEP, wish(least=160)).vertices) == 11
    assert len(clean(fragments, STEP, wish(least=0)).vertices) == 22
    assert len(clean(fragments, STEP, wish(least=161)).vertices) == 0


def test_a_label_of_too_much_cable_is_only_welded() -> None:
    loop = [line((0, 0, 0), (9, 0, 0)), line((9, 0, 0), (9, 9, 0)), line((9, 9, 0), (0, 0, 0))]
    length = sum(map(cable, loop))
    assert len(clean(loop, STEP, wish(most_cable=length - 1)).edges) == 27
    assert len(clean(loop, STEP, wish(most_cable=length + 1)).edges) < 27


def test_a_soma_is_drawn_together_to_its_center() -> None:
    """Four pieces that have parts of it were traced from side to side; five neurites leave it."""
    thick, thin = 4000.0, 100.0
    cage = [line(a, b, 2000) for a in ((0, 0, 0), (64, 64, 0)) for b in ((64, 0, 0), (0, 64, 0))]
    center = path([(32, 32, 0), (32, 33, 0), (0, 64, 0)], thick)
    center.radius[1:] = 500
    arms = [
        line((64, 0, 0), (400, 0, 0), thin),
        line((0, 0, 0), (-400, 0, 0), thin),
        line((0, 64, 0), (0, 500, 0), thin),
    ]
    made = clean([*cage, center, *arms], STEP, wish(soma=Soma(3500, 1.0, 300.0)))
    degrees = dict(graph_of(made.edges, len(made.vertices)).degree)
    assert max(degrees.values()) == 3
    assert made.vertices[max(degrees, key=lambda v: degrees[v])].tolist() == [32, 32, 0]
    assert sorted(degrees.values()).count(1) == 3
    assert nx.is_tree(graph_of(made.edges, len(made.vertices)))
    far = np.linalg.norm(points_of(made) - np.array([32, 32, 0]) * STEP, axis=1)
    assert np.count_nonzero(far <= 4300) == 1


def test_a_soma_that_no_piece_has_seen_whole_keeps_its_dendrites() -> None:
    """Radii of up to 2,000 nm, four times which would reach over dendrites of 4,000 nm."""
    ways = [(0, 50, 0), (0, -50, 0), (0, 0, 20), (50, 0, 0)]
    fragments = [line((0, 0, 0), way, 2000) for way in ways]
    fragments += [line((x, y, z), (5 * x, 5 * y, 5 * z)) for x, y, z in ways]
    tips = {(5 * x, 5 * y, 5 * z) for x, y, z in ways}
    made = clean(fragments, STEP, wish(ball=Ball(4, 10, 1200, 1.0, 300.0)))
    assert tips <= {tuple(row) for row in made.vertices.tolist()}
    made = clean(fragments, STEP, wish(ball=Ball(4, 10)))
    assert not tips <= {tuple(row) for row in made.vertices.tolist()}


@pytest.mark.parametrize(("radius", "stays"), [(1500, False), (1100, True)])
def test_a_branch_as_thick_as_a_soma_is_judged_as_one_of_its_body(radius: float, stays: bool) -> None:
    """Within 8,000 nm of its trunk, what is thick needs no path of its own; what is thin may be a dendrite."""
    trunk = [line((0, 0, 0), (600, 0, 0), 2000), line((600, 0, 0), (1200, 0, 0), 2000)]
    branch = [line((600, 0, 0), (600, 150, 0), radius), line((600, 150, 0), (600, 300, 0), radius)]
    made = clean([*trunk, *branch], STEP, wish(ball=Ball(4, 10, 1200, 1.0, 300.0)))
    assert ((600, 300, 0) in {tuple(row) for row in made.vertices.tolist()}) == stays
    assert {(0, 0, 0), (1200, 0, 0)} <= {tuple(row) for row in made.vertices.tolist()}


@pytest.mark.parametrize("join", [True, False])
def test_attributes_go_with_their_vertices(join: bool) -> None:
    tree = some_tree(3, 60)
    tree.attributes["place"] = tree.vertices.astype(np.int16)
    made = clean([tree], STEP, wish(tick=150, join=join))
    assert 0 < len(made.vertices) < 60
    assert np.array_equal(made.attributes["place"], made.vertices)
    rows = {tuple(row): radius for row, radius in zip(tree.vertices.tolist(), tree.radius.tolist(), strict=True)}
    assert [rows[tuple(row)] for row in made.vertices.tolist()] == made.radius.tolist()
