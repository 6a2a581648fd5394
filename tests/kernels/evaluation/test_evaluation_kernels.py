"""What compares two volumes, on small arrays, against NumPy and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from teravox.kernels.evaluation.borders import near_borders
from teravox.kernels.evaluation.colours import NOTHING, paint
from teravox.kernels.evaluation.exact import UNIT, informations, sum_informations, sum_squares
from teravox.kernels.evaluation.pairs import count_pairs
from teravox.kernels.evaluation.rows import OTHERS, add_up, label_rows, pair_rows, spread

HUGE = 2**64 - 1


@settings(max_examples=40, deadline=None)
@given(runs=st.lists(st.tuples(st.sampled_from([0, 1, 2, HUGE]), st.sampled_from([0, 7, HUGE]), st.integers(1, 40))))
def test_pairs_are_those_that_numpy_counts(runs: list[tuple[int, int, int]]) -> None:
    a = np.array([a for a, _, n in runs for _ in range(n)], np.uint64)
    b = np.array([b for _, b, n in runs for _ in range(n)], np.uint64)
    found = count_pairs(a, b, 100)
    assert found is not None
    pairs, counts = np.unique(np.stack([a, b], 1), axis=0, return_counts=True)
    expected = dict(zip(map(tuple, pairs.tolist()), counts.tolist(), strict=True))
    assert {(x, y): n for x, y, n in zip(*(one.tolist() for one in found), strict=True)} == expected


def test_a_table_of_pairs_grows_as_far_as_it_may() -> None:
    a = np.arange(5000, dtype=np.uint64)
    found = count_pairs(a, a[::-1].copy(), 5000)
    assert found is not None
    assert found[0].tolist() == found[1][::-1].tolist() == a.tolist()
    assert set(found[2].tolist()) == {1}
    assert count_pairs(a, a, 4999) is None


@settings(max_examples=60, deadline=None)
@given(
    labels=arrays(np.uint32, st.tuples(*[st.integers(1, 8)] * 3), elements=st.integers(0, 2)),
    reach=st.tuples(*[st.integers(0, 3)] * 3),
    larger=st.tuples(*[st.integers(1, 3)] * 3),
)
def test_voxels_near_borders_are_those_whose_box_has_two_labels(
    labels: np.ndarray[tuple[int, ...], np.dtype[np.uint32]], reach: tuple[int, int, int], larger: tuple[int, int, int]
) -> None:
    labels = np.kron(labels, np.ones(larger, np.uint32))
    size = [2 * n + 1 for n in reach]
    least, most = (way(labels, size, mode="nearest") for way in (ndimage.minimum_filter, ndimage.maximum_filter))
    assert (near_borders(np.asfortranarray(labels), reach) == (least != most)).all()


@given(numbers=st.lists(st.integers(0, 2**47), max_size=50), repeat=st.sampled_from([1, 2000]))
@settings(max_examples=30, deadline=None)
def test_squares_are_added_up_exactly(numbers: list[int], repeat: int) -> None:
    assert sum_squares(np.array(numbers * repeat, np.uint64)) == sum(n * n for n in numbers) * repeat


@given(numbers=st.lists(st.tuples(st.integers(1, 2**40), st.integers(0, 2**40)), max_size=30), cut=st.integers(0, 30))
@settings(max_examples=50, deadline=None)
def test_informations_are_those_of_the_definition_and_add_up_in_any_parts(
    numbers: list[tuple[int, int]], cut: int
) -> None:
    voxels = np.array([n for n, _ in numbers], np.uint64)
    of = np.array([n + more for n, more in numbers], np.uint64)
    total = sum_informations(voxels, of)
    assert total == sum_informations(voxels[cut:], of[cut:]) + sum_informations(voxels[:cut], of[:cut])
    expected = math.fsum(n * math.log2((n + more) / n) for n, more in numbers)
    assert total / UNIT == pytest.approx(expected, rel=1e-14, abs=1e-8)


def test_no_voxels_and_whole_bodies_have_no_information() -> None:
    whole, rest = informations(np.array([0, 5, 2**46], np.uint64), np.array([0, 5, 2**46], np.uint64))
    assert not whole.any()
    assert not rest.any()


def test_keys_of_a_first_label_differ_in_their_lowest_bits_only() -> None:
    second = np.arange(1000, dtype=np.uint64)
    rows = pair_rows(np.full(1000, 77, np.uint64), second, second)
    begin = int(spread(np.array([77], np.uint64))[0]) & ~OTHERS
    assert all(begin <= key <= begin | OTHERS for key in rows[:, 0].tolist())
    assert len(set(rows[:, 0].tolist())) > 990


def test_no_two_labels_have_one_key_and_any_labels_are_spread_evenly() -> None:
    for labels in (np.arange(100_000), np.arange(100_000) << 24, HUGE - np.arange(100_000, dtype=np.uint64)):
        keys = spread(labels.astype(np.uint64))
        assert len(np.unique(keys)) == 100_000
        shares = np.bincount((keys >> np.uint64(60)).astype(np.int64), minlength=16)
        assert shares.min() > 0.9 * 100_000 / 16


def test_rows_are_added_up_by_what_they_are_of() -> None:
    labels = np.array([5, 3, 5, 5, 9], np.uint64)
    rows = add_up(label_rows(labels, np.array([1, 2, 3, 4, 5], np.uint64), np.array([0, 0, 1, 0, 5], np.uint64)), 1)
    assert {row[1]: row[2:] for row in rows.tolist()} == {5: [8, 1], 3: [2, 0], 9: [5, 5]}
    assert (np.diff(rows[:, 0].astype(np.float64)) >= 0).all()
    pairs = np.array([[7, 1, 2, 10], [7, 1, 1, 20], [7, 0, 9, 30], [7, 1, 2, 40], [0, 4, 4, 50]], np.uint64)
    assert add_up(pairs, 2).tolist() == [[0, 4, 4, 50], [7, 0, 9, 30], [7, 1, 1, 20], [7, 1, 2, 50]]


def test_the_largest_value_is_brightest_and_what_was_not_seen_is_grey() -> None:
    values = np.array([0, 1, 2, 2]).reshape(4, 1, 1)
    colours = paint(values, np.array([True, True, True, False]).reshape(4, 1, 1))[:, 0, 0].astype(int)
    assert colours[0].sum() < colours[1].sum() < colours[2].sum()
    assert colours[3].tolist() == [NOTHING] * 3
    assert not paint(np.zeros((1, 1, 1)), np.ones((1, 1, 1), bool))[0, 0, 0, :2].any()
