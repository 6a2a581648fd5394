"""Points paired one to one, and discs around them, against SciPy and distances of all pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from teravox.kernels.evaluation import points
from teravox.kernels.evaluation.points import TooManyPairs, count_discs, match

Points = NDArray[np.float64]


def some_points(number: int, size: tuple[int, int], seed: int) -> Points:
    found: Points = np.random.default_rng(seed).uniform((0, 0), size, (number, 2)).round(1)
    return found


def distances(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> Points:
    found: Points = np.linalg.norm(one[:, None] - other[None], axis=-1)
    return found


@settings(max_examples=40, deadline=None)
@given(one=st.integers(0, 25), other=st.integers(0, 25), within=st.floats(0, 6), seed=st.integers(0, 999))
def test_as_many_points_are_paired_as_can_be(one: int, other: int, within: float, seed: int) -> None:
    first, second = some_points(one, (12, 20), seed), some_points(other, (12, 20), seed + 1000)
    found = match(first, second, within)
    apart = distances(first, second)
    best = maximum_bipartite_matching(csr_array(apart <= within), perm_type="column") if one and other else np.empty(0)
    paired = np.flatnonzero(found.partners >= 0)
    assert len(paired) == (best >= 0).sum() == len(found.distances)
    assert len(set(found.partners[paired].tolist())) == len(paired)
    np.testing.assert_allclose(found.distances, apart[paired, found.partners[paired]])
    assert (found.distances <= within + 1e-9).all()


def test_near_points_are_preferred_unless_another_pair_would_be_lost() -> None:
    first = np.array([[0.0, 0.0], [0.0, 10.0]])
    assert match(first, np.array([[0.0, 9.0], [0.0, 1.0]]), 20).partners.tolist() == [1, 0]
    assert match(first, np.array([[0.0, 1.0], [0.0, -8.0]]), 9.5).partners.tolist() == [1, 0]


def test_too_many_pairs_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "PAIRS", 1000)
    with pytest.raises(TooManyPairs, match=r"2,500 pairs of them are so near, and 1,000 are the most"):
        match(some_points(50, (9, 9), 1), some_points(50, (9, 9), 2), 99)


@settings(max_examples=20, deadline=None)
@given(
    numbers=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    radius=st.floats(0.2, 9),
    sides=st.sampled_from([(1.0, 1.0), (2.5, 1.0), (1.0, 3.0)]),
    rows=st.sampled_from([1, 4, 100]),
    seed=st.integers(0, 999),
)
def test_discs_are_the_pixels_that_are_near(
    numbers: tuple[int, int], radius: float, sides: tuple[float, float], rows: int, seed: int
) -> None:
    size = (17, 23)
    both = [some_points(number, size, seed + at) - 0.5 for at, number in enumerate(numbers)]
    pixels = np.indices(size).reshape(2, -1).T
    first, second = ((distances(pixels * sides, one * sides) <= radius).any(axis=1) for one in both)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "STRIP", rows * size[1])
        found = count_discs(both[0], both[1], radius, sides, size)
    assert found == ((first & second).sum(), (first & ~second).sum(), (second & ~first).sum())
