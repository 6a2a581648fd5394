"""What steps return is held to their contract, and labels are numbered without gaps; against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.segmentation.results import (
    fault_in_bodies,
    fault_in_prediction,
    fault_in_supervoxels,
    paint_places,
    places_of,
    renumber,
)

Array = NDArray[Any]  # of whatever a test asks for
SHAPE = (3, 4, 5)
seeds = st.integers(0, 1000)


def labels(seed: int, most: int = 9) -> NDArray[np.uint32]:
    return np.random.default_rng(seed).choice(np.array([0, 1, 3, most], np.uint32), SHAPE)


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([5, 9, 4_000_000_000]))
def test_labels_are_numbered_in_their_order(seed: int, most: int) -> None:
    given_labels = labels(seed, most)
    found, number = renumber(given_labels)
    values = np.unique(given_labels[given_labels > 0])
    assert number == len(values)
    expected = np.where(given_labels == 0, 0, np.searchsorted(values, given_labels) + 1)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint32


@pytest.mark.parametrize("value", [0, 1, 7, 2**32 - 1])
def test_one_label_and_none_are_numbered_too(value: int) -> None:
    found, number = renumber(np.full(SHAPE, value, np.uint32))
    assert number == int(value > 0)
    assert (found == number).all()


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_bodies_are_painted_above_the_labels(seed: int) -> None:
    given_labels, number = renumber(labels(seed))
    places = labels(seed + 1, 6)
    painted = given_labels.copy()
    there = paint_places(painted, number, places)
    np.testing.assert_array_equal(there, np.unique(places[places > 0]))
    expected = np.where(places > 0, number + 1 + np.searchsorted(there, places), given_labels)
    np.testing.assert_array_equal(painted, expected)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([np.uint8, np.int16, np.uint32, np.uint64]))
def test_places_in_a_list_are_found(seed: int, dtype: Any) -> None:
    values = np.asfortranarray(np.random.default_rng(seed).integers(0, 6, SHAPE).astype(dtype))
    ids = np.array([2, 3, 5, 1 << 40], np.uint64)
    found = places_of(values, ids)
    expected = np.select([values == 2, values == 3, values == 5], [1, 2, 3], 0)
    np.testing.assert_array_equal(found, expected)
    assert found.flags.f_contiguous


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (0.5, ""),
        (0, ""),
        (1, ""),
        (np.nan, "no numbers"),
        (1.001, "from 0.5 to 1.001"),
        (-0.1, "-0.1"),
        (np.inf, "inf"),
    ],
)
def test_a_prediction_is_of_fractions(value: float, fault: str) -> None:
    found = np.full((*SHAPE, 2), 0.5, np.float32)
    found[2, 3, 4, 1] = value
    said = fault_in_prediction(found, SHAPE, 2)
    assert fault in said and bool(fault) == bool(said)
    assert "(3, 4, 5, 1): its attribute `channels` says" in fault_in_prediction(found, SHAPE, 1)
    assert "channels" not in fault_in_prediction(found[..., 0], SHAPE, 2)
    assert "type float64" in fault_in_prediction(found.astype(float), SHAPE, 2)
    assert "list, and no array" in fault_in_prediction([1], SHAPE, 2)


def test_supervoxels_stay_within_the_mask() -> None:
    mask = np.zeros(SHAPE, np.bool_)
    mask[1] = True
    found = np.zeros(SHAPE, np.uint32)
    found[1] = 5
    assert fault_in_supervoxels(found, SHAPE, mask) == ""
    assert fault_in_supervoxels(found, SHAPE, None) == ""
    found[2, 0, :2] = 1
    assert "in 2 voxels outside the mask" in fault_in_supervoxels(found, SHAPE, mask)
    assert "type int64" in fault_in_supervoxels(found.astype(np.int64), SHAPE, mask)
    assert "shape" in fault_in_supervoxels(found[1:], SHAPE, mask)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_bodies_are_made_of_supervoxels(seed: int) -> None:
    supervoxels = labels(seed)
    joined = np.where(supervoxels == 3, 1, supervoxels).astype(np.uint32)
    stranger = joined.copy()
    is_known = bool((supervoxels == 1).any())
    if is_known or not (supervoxels == 3).any():
        assert fault_in_bodies(joined, supervoxels) == ""
    if not (supervoxels > 0).any():
        return
    stranger[supervoxels > 0] = 8
    assert "the label 8" in fault_in_bodies(stranger, supervoxels)
    filled = np.maximum(supervoxels, supervoxels.max())
    if (supervoxels == 0).any():
        assert "belong to no supervoxel" in fault_in_bodies(filled, supervoxels)


def test_an_empty_block_has_no_faults() -> None:
    nothing = np.zeros(SHAPE, np.uint32)
    assert fault_in_bodies(nothing, nothing) == ""
    assert renumber(nothing)[1] == 0
    assert not len(paint_places(nothing.copy(), 0, nothing))
