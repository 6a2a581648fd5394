"""How unsure a classifier is, against hand-made cases and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.learning.measures import DEFAULT, Measure
from teravox.kernels.learning.uncertainty import uncertainty

MEASURES: list[Measure] = ["margin", "entropy", "least-confidence"]


def rows(*some: list[float]) -> NDArray[np.float32]:
    return np.array(some, np.float32)


@pytest.mark.parametrize("measure", MEASURES)
def test_sure_is_0_and_no_idea_is_1(measure: Measure) -> None:
    known = rows([1, 0, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3])
    assert uncertainty(known, measure) == pytest.approx([0, 0, 1], abs=1e-6)


def test_the_margin_is_what_the_likeliest_class_leads_by() -> None:
    assert uncertainty(rows([0.5, 0.3, 0.2], [0.5, 0.5, 0.0], [0.9, 0.05, 0.05])) == pytest.approx([0.8, 1, 0.15])
    assert uncertainty(rows([0.75, 0.25], [0.4, 0.6])) == pytest.approx([0.5, 0.8])
    assert DEFAULT == "margin"


def test_least_confidence_is_a_share_of_the_furthest_from_certain() -> None:
    assert uncertainty(rows([0.5, 0.25, 0.25]), "least-confidence") == pytest.approx([0.75])


def test_the_entropy_is_that_of_scipy() -> None:
    some = np.random.default_rng(3).dirichlet([0.3, 0.5, 1, 2], 500).astype(np.float32)
    assert uncertainty(some, "entropy") == pytest.approx(scipy.stats.entropy(some, axis=1) / np.log(4), abs=1e-5)


@pytest.mark.parametrize("measure", MEASURES)
def test_of_two_classes_all_measures_have_one_order(measure: Measure) -> None:
    some = np.random.default_rng(4).permutation(np.linspace(0.02, 0.48, 200))
    found = uncertainty(np.stack([some, 1 - some], axis=-1).astype(np.float32), measure)
    assert (np.argsort(found) == np.argsort(some)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1), st.sampled_from(MEASURES))
def test_any_probabilities_have_an_uncertainty_from_0_to_1_in_any_order_of_classes(
    classes: int, seed: int, measure: Measure
) -> None:
    rng = np.random.default_rng(seed)
    some = rng.dirichlet(np.full(classes, 0.2), (3, 2)).astype(np.float32)
    found = uncertainty(some, measure)
    assert found.shape == (3, 2)
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    assert uncertainty(some[..., rng.permutation(classes)], measure) == pytest.approx(found, abs=1e-5)


def test_what_is_given_is_left_as_it_was() -> None:
    some = rows([0.5, 0.3, 0.2], [0.1, 0.2, 0.7])
    before = some.copy()
    for measure in MEASURES:
        uncertainty(some, measure)
    assert (some == before).all()


def test_one_class_is_certain() -> None:
    assert (uncertainty(np.ones((4, 1), np.float32)) == 0).all()
