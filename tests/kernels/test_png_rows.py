from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.png.filters import filter_rows
from teravox.kernels.png.restore import restore_rows


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 9) | st.integers(60, 140), st.integers(1, 40), st.integers(1, 4), st.integers(0, 99), st.booleans()
)
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
@pytest.mark.parametrize("height", [6, 70])
def test_rows_of_every_way_are_restored_as_the_standard_says(way: int, step: int, height: int) -> None:
    """By a plain transcription of its table, byte by byte; other ways come between."""
    random = np.random.default_rng(way)
    rows = random.integers(0, 256, (height, 1 + 7 * step), np.uint8)
    rows[:, 0] = np.where(random.random(height) < 0.8, way, random.integers(0, 5, height))
    expected = np.zeros((height + 1, 8 * step), int)  # with a row above and a voxel to the left of 0
    for y in range(height):
        for x in range(7 * step):
            a, b, c = expected[y + 1, x], expected[y, x + step], expected[y, x]
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            add = (0, a, b, (a + b) // 2, nearest)[rows[y, 0]]
            expected[y + 1, x + step] = (int(rows[y, 1 + x]) + add) % 256
    assert np.array_equal(restore_rows(rows, step), expected[1:, step:])


@pytest.mark.parametrize("height", [1, 100])
def test_a_way_that_does_not_exist_is_refused(height: int) -> None:
    rows = np.zeros((height, 4), np.uint8)
    rows[-1, 0] = 5
    with pytest.raises(ValueError, match="a way that does not exist"):
        restore_rows(rows, 1)


def test_the_neighbour_that_is_nearest_is_that_of_the_standard() -> None:
    a, b, c = np.meshgrid(*[np.arange(0, 256, 3)] * 3, indexing="ij")
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    expected = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    rows = np.zeros(
        (2 * a.size, 3), np.uint8
    )  # two voxels each: c and b, and below them a and the one that is asked for
    rows[0::2, 1], rows[0::2, 2] = c.ravel(), b.ravel()
    rows[1::2, 0] = 4
    rows[1::2, 1] = (a - c).ravel() % 256
    assert np.array_equal(restore_rows(rows, 1)[1::2, 1], expected.ravel())
