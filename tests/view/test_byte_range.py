from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.view.byte_range import content_range, parse_range

whole = st.binary(min_size=1, max_size=50)


@given(data=whole, first=st.integers(0, 60), length=st.integers(1, 60))
def test_a_range_names_its_first_and_last_byte(data: bytes, first: int, length: int) -> None:
    wanted = parse_range(f"bytes={first}-{first + length - 1}")
    assert wanted is not None
    assert wanted.of(data) == (first, data[first : first + length])


@given(data=whole, first=st.integers(0, 60))
def test_without_a_last_byte_it_goes_to_the_end(data: bytes, first: int) -> None:
    wanted = parse_range(f"bytes={first}-")
    assert wanted is not None
    assert wanted.of(data) == (first, data[first:])


@given(data=whole, number=st.integers(1, 60))
def test_without_a_first_byte_it_counts_from_the_end(data: bytes, number: int) -> None:
    wanted = parse_range(f"bytes=-{number}")
    assert wanted is not None
    start, part = wanted.of(data)
    assert part == data[-number:]
    assert data[start:] == part


@pytest.mark.parametrize(
    "header", [None, "", "bytes", "bytes=", "bytes=-", "bytes=-0", "bytes=3-2", "bytes=0-1,3-4", "bytes=٣-٤", "b=0-1"]
)
def test_what_is_no_single_range_is_none(header: str | None) -> None:
    assert parse_range(header) is None


def test_spaces_do_no_harm() -> None:
    assert parse_range(" bytes = 0 - 15 ") == (0, 16)


def test_an_answer_says_which_bytes_it_holds() -> None:
    assert content_range(5, b"abc", 10) == "bytes 5-7/10"
    assert content_range(5, b"abc", None) == "bytes 5-7/*"
