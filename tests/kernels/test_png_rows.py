from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.png_rows import filter_rows, restore_rows


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 4), st.integers(0, 99), st.booleans())
def test_rows_come_back_as_they_were(height: int, width: int, step: int, seed: int, smooth: bool) -> None:
    random = np.random.default_rng(seed)
    picture = random.integers(0, 256, (height, width * step), np.uint8)
    if smooth:
        picture = np.cumsum(picture // 60, axis=1, dtype=np.uint8)
    rows = filter_rows(picture, step)
    assert rows.shape == (height, 1 + width * step)
    assert np.array_equal(restore_rows(rows, step), picture)


@pytest.mark.parametrize("way", range(5))
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_rows_of_every_way_are_restored_as_the_standard_says(way: int, step: int) -> None:
    """By a plain transcription of its table, byte by byte."""
    random = np.random.default_rng(way)
    rows = random.integers(0, 256, (6, 1 + 7 * step), np.uint8)
    rows[:, 0] = way
    expected = np.zeros((7, 8 * step), int)  # with a row above and a voxel to the left of 0
    for y in range(6):
        for x in range(7 * step):
            a, b, c = expected[y + 1, x], expected[y, x + step], expected[y, x]
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            add = (0, a, b, (a + b) // 2, nearest)[way]
            expected[y + 1, x + step] = (int(rows[y, 1 + x]) + add) % 256
    assert np.array_equal(restore_rows(rows, step), expected[1:, step:])


def test_a_way_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="a way that does not exist"):
        restore_rows(np.full((1, 4), 5, np.uint8), 1)
