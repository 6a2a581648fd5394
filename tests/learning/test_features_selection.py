"""Which features are chosen, and how that is said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.kernels.learning.selection import (
    DEFAULT,
    FILTERS,
    SIGMAS,
    Feature,
    Selection,
    feature_names,
    lines,
    matrix,
    parse,
)

features = st.builds(Feature, st.sampled_from(FILTERS), st.sampled_from([*SIGMAS, 2.25]), st.booleans())


@given(st.sets(features, min_size=1))
def test_what_is_written_is_read_again(chosen: set[Feature]) -> None:
    selection = Selection(tuple(chosen))

    again = parse(lines(selection))

    assert set(again) == chosen
    assert lines(again) == sorted(lines(again), key=lambda line: FILTERS.index(line.partition(":")[0]))
    assert parse(lines(again)) == again


def test_a_text_says_all_filters_or_all_sigmas() -> None:
    text = """
        all:0.7, 1.6   # every filter
        hessian-of-gaussian-eigenvalues:all
        gaussian-smoothing:5:flat
    """

    selection = parse(text.splitlines())

    assert len(selection) == 12 + 5 + 1
    assert Feature("gaussian-smoothing", 5.0, flat=True) in selection.chosen
    assert [feature.sigma for feature in selection if feature.filter == FILTERS[-1]] == list(SIGMAS)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("median:1", "there is no filter 'median': there are gaussian-smoothing, "),
        ("gaussian-smoothing", "'gaussian-smoothing' is not FILTER:SIGMA"),
        ("gaussian-smoothing:1:2-D", "is not FILTER:SIGMA"),
        ("gaussian-smoothing:one", "'one' in 'gaussian-smoothing:one' is not a sigma"),
        ("gaussian-smoothing:1,,2", "'' in 'gaussian-smoothing:1,,2' is not a sigma"),
        ("gaussian-smoothing:0", "the sigma of gaussian-smoothing is 0, but must be above 0"),
        ("gaussian-smoothing:inf", "the sigma of gaussian-smoothing is inf, but"),
        ("# nothing", "no features are chosen"),
    ],
)
def test_what_cannot_be_meant_is_refused(line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse([line])


def test_a_feature_is_chosen_once() -> None:
    with pytest.raises(ValueError, match="gaussian-smoothing:1:flat is chosen twice"):
        Selection((Feature("gaussian-smoothing", 1.0, flat=True), Feature("gaussian-smoothing", 1, flat=True)))


def test_the_whole_matrix_is_ilastik_s_in_its_order() -> None:
    selection = matrix()

    assert len(selection) == 42
    assert selection.columns(1) == 70
    assert selection.columns(3) == len(feature_names(selection, 3)) == 210
    assert matrix(flat=True).columns(1) == 56
    assert feature_names(selection)[-3:] == tuple(
        f"hessian-of-gaussian-eigenvalues:10 [{number}]" for number in range(3)
    )


def test_equal_selections_are_one() -> None:
    again = Selection(tuple((name, sigma, flat) for name, sigma, flat in DEFAULT))  # type: ignore[misc]  # from JSON

    assert again == DEFAULT
    assert hash(again) == hash(DEFAULT)
