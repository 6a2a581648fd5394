"""Components that are near each other are joined, each once, at their nearest vertices."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skeletons.graphs import SLACK, graph_of, line, parts_of, points_of, some_tree

from teravox.kernels.skeleton.closing import join_close
from teravox.kernels.skeleton.components import number_components
from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.weld import weld


def scattered(seed: int, parts: int, widest: float) -> Skeleton:
    """Small trees here and there, of all radii."""
    random = np.random.default_rng(seed)
    fragments = []
    for part in range(parts):
        tree = some_tree(seed + part, int(random.integers(1, 12))).moved(random.integers(-40, 40, 3).tolist())
        radius = random.uniform(1, widest) * random.uniform(0.2, 1, len(tree.vertices))
        fragments.append(tree._replace(radius=radius.astype(np.float32)))
    return weld(fragments).skeleton


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([30.0, 200.0, 3000.0]))
def test_joins_are_those_of_a_least_spanning_tree_of_all_pairs(seed: int, parts: int, widest: float) -> None:
    skeleton = scattered(seed, parts, widest)
    points, edges = points_of(skeleton), skeleton.edges
    joined = join_close(points, edges, skeleton.radius, SLACK / 2)
    assert set(map(tuple, edges.tolist())) <= set(map(tuple, joined.tolist()))

    component, _ = number_components(edges, len(points))
    reach = np.maximum(skeleton.radius.astype(float), SLACK / 2)
    near: nx.Graph[int] = nx.Graph()
    near.add_nodes_from(component.tolist())
    between = np.linalg.norm(points[:, None] - points[None], axis=2)
    for a, b in zip(*np.nonzero(between <= reach[:, None] + reach[None]), strict=True):
        one, other = int(component[a]), int(component[b])
        if one != other and between[a, b] < near.get_edge_data(one, other, {"weight": np.inf})["weight"]:
            near.add_edge(one, other, weight=float(between[a, b]))
    added = set(map(tuple, joined.tolist())) - set(map(tuple, edges.tolist()))
    lengths = sorted(float(between[a, b]) for a, b in added)
    wanted = sorted(w for _, _, w in nx.minimum_spanning_tree(near).edges(data="weight"))
    assert np.allclose(lengths, wanted)
    whole = graph_of(joined, len(points))
    assert nx.number_connected_components(whole) == nx.number_connected_components(near)


def test_voxels_that_touch_are_near_whatever_their_radii() -> None:
    skeleton = weld([line((0, 0, 0), (9, 0, 0), 1), line((10, 1, 1), (20, 1, 1), 1)]).skeleton
    joined = join_close(points_of(skeleton), skeleton.edges, skeleton.radius, SLACK / 2)
    assert len(parts_of(joined, len(skeleton.vertices))) == 1


def test_what_lies_further_than_two_radii_stays_apart() -> None:
    skeleton = weld([line((0, 0, 0), (9, 0, 0), 100), line((9, 20, 0), (20, 20, 0), 200)]).skeleton
    joined = join_close(points_of(skeleton), skeleton.edges, skeleton.radius, SLACK / 2)
    assert np.array_equal(joined, skeleton.edges)
