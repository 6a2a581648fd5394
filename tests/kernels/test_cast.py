from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.kernels.cast import cast_into

WHOLE = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]


@given(st.sampled_from(WHOLE), st.sampled_from(WHOLE), st.integers(-(2**63), 2**64 - 1))
def test_a_whole_number_is_kept_or_refused(source: str, target: str, value: int) -> None:
    if not np.iinfo(source).min <= value <= np.iinfo(source).max:
        value %= 100
    values, out = np.array([0, value], source), np.zeros(2, target)
    if np.iinfo(target).min <= value <= np.iinfo(target).max:
        cast_into(out, values)
        assert out.tolist() == [0, value]
    else:
        with pytest.raises(ValueError, match=f"the value {value} does not fit {target}"):
            cast_into(out, values)


@pytest.mark.parametrize(
    ("values", "target", "made"),
    [
        (np.array([True, False]), "uint8", [1, 0]),
        (np.array([0.4, 254.6, -0.4]), "uint8", [0, 255, 0]),
        (np.array([1.5, np.inf, np.nan]), "float32", [1.5, np.inf, np.nan]),
        (np.array([], np.float64), "uint8", []),
        (np.array([1, 2], ">u2"), "<u2", [1, 2]),
    ],
)
def test_values_that_fit_are_copied(values: Any, target: str, made: list[float]) -> None:
    out = np.zeros(len(values), target)
    cast_into(out, values)
    assert np.array_equal(out, np.array(made, target), equal_nan=out.dtype.kind == "f")


@pytest.mark.parametrize("value", [255.5, -0.6, np.nan, np.inf, 1e300])
def test_fractions_that_do_not_fit_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="fit uint8"):
        cast_into(np.zeros(2, "uint8"), np.array([1.0, value]))
