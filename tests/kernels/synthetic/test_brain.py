"""Generated brains: the same in whatever boxes they are made, with cells that touch nothing and vessels that are bright."""

from __future__ import annotations

import zlib
from typing import Any

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.synthetic.brain import CELL, VESSEL, Brain, draw_brain
from teravox.kernels.synthetic.drawn import Vec

NONE: Vec = (0, 0, 0)


def draw_whole(size: Vec, seed: int, **options: Any) -> Brain:  # options of the generator
    return draw_brain(size, NONE, size, seed, **options)


def test_a_seed_gives_the_same_bytes_for_ever() -> None:
    drawn = draw_whole((44, 40, 36), 5)
    assert [zlib.crc32(array.tobytes("F")) for array in drawn] == [787947220, 2418271144, 1355524012]
    assert not np.array_equal(drawn.image, draw_whole((44, 40, 36), 6).image)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_box_is_as_it_is_in_the_whole(data: st.DataObject) -> None:
    size = data.draw(st.tuples(*[st.integers(12, 48)] * 3))
    seed = data.draw(st.integers(0, 2**64 - 1))
    low = data.draw(st.tuples(*(st.integers(0, n - 1) for n in size)))
    high = data.draw(st.tuples(*(st.integers(a + 1, n) for a, n in zip(low, size, strict=True))))
    options: dict[str, Any] = {"spacing": 24, "radius": 4.0}
    whole, box = draw_whole(size, seed, **options), draw_brain(size, low, high, seed, **options)
    place = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    assert all(array.flags.f_contiguous for array in (box.image, box.truth, box.classes))
    np.testing.assert_array_equal(box.image, whole.image[place])
    np.testing.assert_array_equal(box.truth, whole.truth[place])
    np.testing.assert_array_equal(box.classes, whole.classes[place])


def test_cells_are_balls_that_touch_nothing() -> None:
    drawn = draw_whole((96, 88, 72), 3)
    cells = drawn.classes == CELL
    _, number = cc3d.connected_components(drawn.classes > 0, connectivity=26, return_N=True)
    _, vessels = cc3d.connected_components(drawn.classes == VESSEL, connectivity=26, return_N=True)
    assert number - vessels == len(np.unique(drawn.truth[cells])) > 30
    for cell in np.unique(drawn.truth[24:72, 24:64, 24:48][cells[24:72, 24:64, 24:48]]):
        places = np.argwhere(drawn.truth == cell)
        middle, radius = places.mean(0), np.cbrt(len(places) * 3 / 4 / np.pi)
        assert 3.5 < radius < 5.2
        assert np.abs(np.linalg.norm(places - middle, axis=1)).max() < radius + 1.1


def test_vessels_are_bright_lines_and_cells_dark() -> None:
    drawn = draw_whole((96, 88, 72), 4, noise=0.0)
    means = [drawn.image[drawn.classes == one].mean() for one in (0, CELL, VESSEL)]
    np.testing.assert_allclose(means, [125, 84, 178], atol=6)
    shares = [(drawn.classes == one).mean() for one in (CELL, VESSEL)]
    assert all(0.01 < share < 0.06 for share in shares)
    for vessel in np.unique(drawn.truth[drawn.classes == VESSEL]):
        assert cc3d.connected_components(drawn.truth == vessel, connectivity=26, return_N=True)[1] == 1
    assert np.array_equal(drawn.truth > 0, drawn.classes > 0)


@pytest.mark.parametrize(
    ("options", "said"), [({"radius": 2.0}, "need 3"), ({"vessel": 0.5}, "and 1 voxels"), ({"spacing": 9}, "need 16")]
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        draw_whole((30, 30, 30), 1, **options)


def test_a_box_outside_of_the_volume_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not within a volume of \(40, 40, 40\) voxels"):
        draw_brain((40, 40, 40), NONE, (40, 40, 41), 1)
    with pytest.raises(ValueError, match="32 bits"):
        draw_brain((200_000,) * 3, NONE, (8, 8, 8), 1)
