"""Otsu's thresholds, against scikit-image and against all cuts there are."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.filters import threshold_multiotsu, threshold_otsu

from teravox.kernels.otsu import find_thresholds


def peaks(seed: int, number: int) -> NDArray[np.uint8]:
    """Grey values around some peaks."""
    random = np.random.default_rng(seed)
    middles, widths = random.uniform(10, 240, number), random.uniform(1, 40, number)
    values = random.normal(middles, widths, (int(random.integers(20, 2000)), number))
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def counted(values: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.bincount(values.ravel(), minlength=256).astype(np.uint64)


def apart(counts: NDArray[np.uint64], cuts: tuple[int, ...]) -> Fraction:
    """How far the classes are apart, but for what is the same for all cuts."""
    total = Fraction(0)
    for low, high in itertools.pairwise((0, *(cut + 1 for cut in cuts), len(counts))):
        weight = int(counts[low:high].sum())
        first = int((counts[low:high] * np.arange(low, high, dtype=np.uint64)).sum())
        total += Fraction(first * first, weight) if weight else 0
    return total


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), number=st.integers(1, 4))
def test_two_classes_are_those_of_scikit_image(seed: int, number: int) -> None:
    values = peaks(seed, number)

    assert find_thresholds(counted(values)) == [threshold_otsu(values)]


@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(0, 9), min_size=4, max_size=11), classes=st.integers(2, 4))
def test_no_other_cuts_are_better(counts: list[int], classes: int) -> None:
    array = np.array(counts, np.uint64)
    if np.count_nonzero(array) < classes:
        with pytest.raises(ValueError, match=f"which cannot be cut into {classes} classes"):
            find_thresholds(array, classes)
        return
    found = find_thresholds(array, classes)
    every = itertools.combinations(range(len(counts) - 1), classes - 1)

    assert apart(array, tuple(found)) == max(apart(array, cuts) for cuts in every)


@pytest.mark.parametrize("seed", range(3))
def test_several_classes_are_at_least_as_good_as_those_of_scikit_image(seed: int) -> None:
    values = peaks(seed, 3)
    counts = counted(values)
    found, theirs = find_thresholds(counts, 3), threshold_multiotsu(values, 3).tolist()

    assert np.abs(np.subtract(found, theirs)).max() <= 1  # which adds up with 32 bits
    assert apart(counts, tuple(found)) >= apart(counts, tuple(theirs))


def test_values_of_16_bits_are_cut_too() -> None:
    counts = np.zeros(1 << 16, np.uint64)
    counts[[100, 30_000, 30_100, 65_535]] = [5, 4, 4, 6]

    assert find_thresholds(counts, 3) == [100, 30_100]
    with pytest.raises(ValueError, match="there can be 2 to 9 classes, not 10"):
        find_thresholds(counts, 10)
