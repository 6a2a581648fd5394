"""Fragments become one skeleton where they have voxels in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from skeletons.graphs import ends_of, line, path, some

from teravox.kernels.skeleton.skeleton import Skeleton
from teravox.kernels.skeleton.weld import SHARED, weld


def cut(skeleton: Skeleton, seed: int, parts: int) -> list[Skeleton]:
    """Fragments that have some of the edges each, and their vertices in random order."""
    random = np.random.default_rng(seed)
    where = random.integers(0, parts, len(skeleton.edges))
    found = []
    for part in range(parts):
        edges = skeleton.edges[where == part]
        rows = random.permutation(np.unique(edges))
        place = np.zeros(len(skeleton.vertices), np.uint32)
        place[rows] = np.arange(len(rows))
        flipped = np.where(random.random((len(edges), 1)) < 0.5, edges, edges[:, ::-1])
        found.append(skeleton.taken(rows)._replace(edges=place[random.permutation(flipped)]))
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(2, 60), st.integers(1, 90))
def test_a_skeleton_that_was_cut_is_whole_again(seed: int, parts: int, vertices: int, edges: int) -> None:
    skeleton = some(seed, vertices, edges)
    assume(len(skeleton.edges))
    linked = np.unique(skeleton.edges)
    place = np.zeros(vertices, np.uint32)
    place[linked] = np.arange(len(linked))
    wanted = skeleton.taken(linked)._replace(edges=place[skeleton.edges]).canonical()
    fragments = cut(skeleton, seed, parts)
    for order in (fragments, fragments[::-1]):
        welded, piece = weld(order)
        assert np.array_equal(welded.vertices, wanted.vertices)
        assert np.array_equal(welded.edges, wanted.edges)
        assert np.array_equal(welded.radius, wanted.radius)
        assert np.array_equal(welded.attributes["kind"], wanted.attributes["kind"])
        inside = [{tuple(row) for row in fragment.vertices.tolist()} for fragment in order]
        for vertex, owner in zip(welded.vertices.tolist(), piece.tolist(), strict=True):
            owners = [at for at, some_of in enumerate(inside) if tuple(vertex) in some_of]
            assert owner == (owners[0] if len(owners) == 1 else SHARED)


def test_the_larger_value_is_kept() -> None:
    first, second = path([(0, 0, 0), (1, 0, 0)], 30, 2), path([(1, 0, 0), (2, 0, 0)], 50, 1)
    first.attributes["area"] = np.array([5, -7], np.float32)
    second.attributes["area"] = np.array([9, 4], np.float32)
    skeleton = weld([first, second]).skeleton
    assert skeleton.radius.tolist() == [30, 50, 50]
    assert skeleton.attributes["kind"].tolist() == [2, 2, 1]
    assert skeleton.attributes["area"].tolist() == [5, 9, 4]


@pytest.mark.parametrize("dtype", ["u1", "i2", "u8", "i8", "f4", "f8"])
def test_attributes_keep_their_type_and_shape(dtype: str) -> None:
    fragments = [line((0, 0, 0), (4, 0, 0)), line((4, 0, 0), (4, 5, 0))]
    for seed, fragment in enumerate(fragments):
        random = np.random.default_rng(seed)
        fragment.attributes["rows"] = random.integers(0, 100, (len(fragment.vertices), 3)).astype(dtype)
    rows = weld(fragments).skeleton.attributes["rows"]
    assert rows.dtype == dtype
    assert rows.shape == (10, 3)


def test_voxels_at_the_ends_of_the_world_stay_apart() -> None:
    low, high = -(2**31), 2**31 - 1
    fragment = path([(low, low, low), (high, high, high), (low, high, low), (high, low, high)])
    welded = weld([fragment, fragment]).skeleton
    assert sorted(map(tuple, welded.vertices.tolist())) == sorted(map(tuple, fragment.vertices.tolist()))
    assert len(ends_of(welded.edges, 4)) == 2
