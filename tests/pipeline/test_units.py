from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.units import parse_bytes, parse_seconds, say_bytes, say_seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("1e9", 10**9),
        ("3.5GB", 3_500_000_000),
        ("3.5 gb", 3_500_000_000),
        (" 16G ", 16 * 10**9),
        ("2GiB", 2**31),
        ("1kB", 1000),
        (".5MB", 500_000),
        ("1.TB", 10**12),
        ("8 bytes", 8),
        ("9007199254740993", 9007199254740993),
        ("7EiB", 7 * 2**60),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "lots", "-1", "1XB", "GB", "1,5GB", "1 2", "٣GB", "9EiB", "1e999", "1e99999999", "nan", "inf", "0x10"]
)
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a size like 3.5GB, got '"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("10 min", 600),
        ("2h", 7200),
        ("1.5h", 5400),
        ("1d", 86400),
        ("250ms", 0.25),
    ],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1w", "10mm", "1h30m", "s", "nan"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a time like 90s or 10m, got '"):
        parse_seconds(text)


def test_a_long_wrong_text_is_not_repeated_in_full() -> None:
    with pytest.raises(ValueError) as error:
        parse_bytes("x" * 10_000)
    assert len(str(error.value)) < 150


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (12_300_000_000, "12.3 GB"),
        (4 * 10**9, "4.0 GB"),
        (5 * 10**21, "5,000.0 EB"),
    ],
)
def test_a_size_is_said(size: int, said: str) -> None:
    assert say_bytes(size) == said


@given(st.integers(0, 10**18))
def test_a_size_that_was_said_is_read_as_nearly_the_same(size: int) -> None:
    assert parse_bytes(say_bytes(size)) == pytest.approx(size, rel=0.051)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (9.94, "9.9 s"),
        (42.4, "42 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (3599.7, "1 h"),
        (7500, "2 h 5 min"),
        (86399.9, "1 d"),
        (273600, "3 d 4 h"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_time_is_said(seconds: float, said: str) -> None:
    assert say_seconds(seconds) == said
