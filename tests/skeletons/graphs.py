"""Random skeletons for tests of kernels, and what NetworkX says of them."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from teravox.kernels.skeleton.skeleton import Edges, Skeleton
from teravox.kernels.skeleton.trunk import Ball

STEP = (16.0, 16.0, 40.0)
SLACK = float(np.linalg.norm(STEP))
NO_BALL = Ball(0.0, 0.0)


def path(points: Any, radius: float = 40.0, value: int = 0) -> Skeleton:  # Any: rows of three numbers
    """Vertices in a row; their attribute `kind` is `value`."""
    vertices = np.array(points, np.int32).reshape(-1, 3)
    edges = np.stack([np.arange(len(vertices) - 1), np.arange(1, len(vertices))], axis=1).astype(np.uint32)
    kind = np.full(len(vertices), value, np.uint8)
    return Skeleton(vertices, edges, np.full(len(vertices), radius, np.float32), {"kind": kind})


def line(start: tuple[int, int, int], stop: tuple[int, int, int], radius: float = 40.0) -> Skeleton:
    """All voxels from one to another, along an axis or a diagonal."""
    count = max(abs(b - a) for a, b in zip(start, stop, strict=True))
    return path(np.linspace(start, stop, count + 1).round().astype(int), radius)


def some(seed: int, vertices: int, edges: int, size: int = 40) -> Skeleton:
    """A random graph on distinct voxels, with edges between any of them."""
    random = np.random.default_rng(seed)
    places = random.choice(size**3, vertices, replace=False)
    points = np.stack(np.unravel_index(places, (size, size, size)), axis=1).astype(np.int32)
    pairs = random.integers(0, vertices, (edges, 2)).astype(np.uint32)
    radius = random.uniform(1, 60, vertices).astype(np.float32)
    kind = random.integers(0, 5, vertices).astype(np.uint8)
    return Skeleton(points, pairs[pairs[:, 0] != pairs[:, 1]], radius, {"kind": kind}).canonical()


def some_tree(seed: int, vertices: int) -> Skeleton:
    """A random tree whose edges lead to voxels nearby, in which about a third of the vertices are ends."""
    random = np.random.default_rng(seed)
    points, taken, edges = [(0, 0, 0)], {(0, 0, 0)}, []
    while len(points) < vertices:
        parent = int(len(points) - 1 - min(random.exponential(3), len(points) - 1))
        x, y, z = (a + int(b) for a, b in zip(points[parent], random.integers(-1, 2, 3), strict=True))
        if (x, y, z) not in taken:
            edges.append((parent, len(points)))
            points.append((x, y, z))
            taken.add((x, y, z))
    radius = random.uniform(1, 60, vertices).astype(np.float32)
    tree = Skeleton(np.array(points, np.int32), np.array(edges, np.uint32).reshape(-1, 2), radius, {})
    return tree.canonical()


def graph_of(edges: Edges, vertices: int) -> nx.Graph[int]:
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(vertices))
    graph.add_edges_from(edges.tolist())
    return graph


def parts_of(edges: Edges, vertices: int) -> set[frozenset[int]]:
    return set(map(frozenset, nx.connected_components(graph_of(edges, vertices))))


def ends_of(edges: Edges, vertices: int) -> set[int]:
    return {vertex for vertex, degree in graph_of(edges, vertices).degree if degree == 1}


def is_forest(edges: Edges, vertices: int) -> bool:
    return bool(nx.is_forest(graph_of(edges, vertices)))


def points_of(skeleton: Skeleton) -> Any:
    return skeleton.vertices * np.array(STEP)
