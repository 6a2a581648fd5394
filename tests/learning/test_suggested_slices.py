"""Which slices are chosen, and where in them one should look."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.learning.slices import Look, Part, choose, find_place, look


def seen(position: int, uncertainty: float, *, mean: float = 0.0, labelled: bool = False) -> Look:
    return Look(position, labelled, uncertainty, np.array([mean]), np.array([mean * mean + 1]))


def positions(looks: list[Look], number: int, **how: object) -> list[int]:
    return [looks[at].position for at, _ in choose(looks, number, **how)]  # type: ignore[arg-type]  # as the case says


def test_of_slices_that_look_the_same_the_least_certain_is_the_first() -> None:
    looks = [seen(0, 0.1), seen(10, 0.4), seen(20, 0.3), seen(30, 0.2)]
    assert positions(looks, 3) == [10, 20, 30]


def test_of_slices_of_which_nothing_is_known_the_one_unlike_the_labelled_one_is_the_first() -> None:
    looks = [seen(0, 0, mean=5, labelled=True), seen(10, 0, mean=4), seen(20, 0, mean=1), seen(30, 0, mean=3)]
    assert positions(looks, 3)[0] == 20


def test_before_any_label_the_most_usual_slice_is_the_first() -> None:
    looks = [seen(0, 0, mean=9), seen(10, 0, mean=0), seen(20, 0, mean=5)]
    assert positions(looks, 1) == [20]


def test_a_slice_like_one_that_was_just_chosen_waits() -> None:
    looks = [seen(0, 0.5, mean=0, labelled=True), seen(10, 0.5, mean=9), seen(20, 0.5, mean=8.9), seen(30, 0.4, mean=4)]
    assert positions(looks, 2) == [10, 30]


def test_neighbours_of_labelled_and_of_chosen_slices_come_last() -> None:
    looks = [seen(0, 0.1), seen(1, 0.9), seen(2, 0.8), seen(9, 0.2), seen(10, 0.7)]
    assert positions(looks, 2, spacing=4, labelled=[3]) == [10, 1]
    assert positions(looks, 2, spacing=4) == [1, 10]
    assert sorted(positions(looks, 9, spacing=4)) == [0, 1, 2, 9, 10]


def test_labelled_slices_are_never_chosen() -> None:
    looks = [seen(0, 0.9, labelled=True), seen(1, 0.5), seen(2, 0.9)]
    assert positions(looks, 5, labelled=[2]) == [1]
    assert choose([seen(0, 1.0, labelled=True)], 3) == []
    assert choose([], 3) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_as_many_as_there_are_come_once_each_with_scores_from_0_to_1(
    slices: int, number: int, spacing: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    looks = [seen(at, rng.random(), mean=rng.random(), labelled=rng.random() < 0.2) for at in range(slices)]
    chosen = choose(looks, number, spacing=spacing)
    assert len({at for at, _ in chosen}) == len(chosen) == min(number, sum(not one.labelled for one in looks))
    assert all(0 <= score <= 1 for _, score in chosen)


def test_a_look_is_that_of_all_windows_together() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(3, 50)).astype(np.float32)
    unsure = rng.random(50).astype(np.float32)
    parts = [Part(features[:, :20], unsure[:20].reshape(4, 5)), Part(features[:, 20:], unsure[20:])]
    found = look(7, True, parts)
    assert found[:2] == (7, True)
    assert found.uncertainty == pytest.approx(unsure.mean())
    assert found.means == pytest.approx(features.mean(axis=1), abs=1e-6)
    assert found.squares == pytest.approx((features**2).mean(axis=1), abs=1e-6)


def test_the_place_is_the_least_certain_block() -> None:
    plane = np.zeros((70, 100), np.float32)
    plane[40:60, 70:90] = 0.5
    place = find_place(plane, 32)
    assert (place.row, place.column) == (32, 64)
    assert place.score == pytest.approx(0.5 * 400 / 1024)
    plane[69, 99] = 1.0  # the only voxels of a block at the rim
    assert find_place(plane, 32)[:2] == (32, 64)
    assert find_place(np.ones((3, 2), np.float32))[:2] == (0, 0)
