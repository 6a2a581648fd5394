"""A skeleton as trees: every vertex once, parents first, and only edges that are there."""

from __future__ import annotations

import networkx as nx  # type: ignore[import-untyped, unused-ignore]  # it has no types
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from teravox.kernels.skeleton.rooted import root_trees

graphs = st.integers(0, 30).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(st.tuples(*[st.integers(0, max(0, count - 1))] * 2), max_size=0 if count == 0 else 45),
        st.lists(st.integers(0, 5), min_size=count, max_size=count),
    )
)


@given(graphs)
def test_trees_are_a_spanning_forest_from_the_heaviest_vertices(
    graph: tuple[int, list[tuple[int, int]], list[int]],
) -> None:
    count, pairs, weight = graph
    order, parents, opened = root_trees(count, np.array(pairs, np.uint32).reshape(-1, 2), np.array(weight, float))
    assert sorted(order.tolist()) == list(range(count))
    assert (parents < np.arange(count)).all()
    there = nx.Graph(pair for pair in pairs if pair[0] != pair[1])
    there.add_nodes_from(range(count))
    kept = nx.Graph()
    kept.add_nodes_from(range(count))
    kept.add_edges_from((int(order[at]), int(order[parent])) for at, parent in enumerate(parents) if parent >= 0)
    assert set(map(frozenset, kept.edges)) <= set(map(frozenset, there.edges))
    assert {frozenset(c) for c in nx.connected_components(kept)} == {
        frozenset(c) for c in nx.connected_components(there)
    }
    assert opened == there.number_of_edges() - kept.number_of_edges()
    assert opened == len(nx.cycle_basis(there))
    roots = {int(order[at]) for at in np.flatnonzero(parents < 0)}
    assert roots == {min(part, key=lambda v: (-weight[v], v)) for part in nx.connected_components(there)}


def test_branches_follow_each_other() -> None:
    order, parents, opened = root_trees(5, np.array([[0, 1], [1, 2], [1, 3], [3, 4]], np.uint32), np.zeros(5))
    assert order.tolist() == [0, 1, 2, 3, 4]
    assert parents.tolist() == [-1, 0, 1, 1, 3]
    assert opened == 0
