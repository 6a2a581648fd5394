"""Generated volumes: the same for ever, whatever boxes they are made in, and true to what they say of themselves."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Literal

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.synthetic.beads import draw_beads
from teravox.kernels.synthetic.drawn import Drawn, Vec
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.kernels.synthetic.neurites import draw_neurites

Draw = Callable[..., Drawn]
Options = dict[str, Any]  # of any of the generators
NONE: Vec = (0, 0, 0)

CASES: dict[str, tuple[Draw, Options]] = {
    "neurites": (draw_neurites, {"spacing": 16, "holes": 0.1, "blurred": 0.3}),
    "beads": (draw_beads, {"radius": 6.0}),
    "fibres": (draw_fibres, {"radius": 4.0}),
}


def draw_whole(draw: Draw, size: Vec, seed: int, **options: Any) -> Drawn:
    return draw(size, NONE, size, seed, **options)


def touches_another(truth: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """The voxels that share a face with another label: where a membrane runs."""
    border = np.zeros(truth.shape, np.bool_)
    for axis in range(3):
        a, b = np.moveaxis(truth, axis, 0)[1:], np.moveaxis(truth, axis, 0)[:-1]
        np.moveaxis(border, axis, 0)[1:] |= a != b
        np.moveaxis(border, axis, 0)[:-1] |= a != b
    return border


def count_labels(truth: NDArray[np.uint32]) -> int:
    return len(np.unique(truth[truth > 0]))


def count_components(labels: NDArray[Any], connectivity: Literal[6, 26] = 6) -> int:  # Any: labels or a mask
    return cc3d.connected_components(labels, connectivity=connectivity, return_N=True)[1]


@pytest.mark.parametrize(
    ("name", "image", "truth"),
    [("neurites", 4212215296, 608050581), ("beads", 2113502130, 3008657257), ("fibres", 947729134, 627574039)],
)
def test_a_seed_gives_the_same_bytes_for_ever(name: str, image: int, truth: int) -> None:
    draw, options = CASES[name]
    drawn = draw_whole(draw, (44, 40, 36), 5, **options)
    assert [zlib.crc32(array.tobytes("F")) for array in drawn] == [image, truth]
    other = draw_whole(draw, (44, 40, 36), 6, **options)
    assert not np.array_equal(drawn.image, other.image)
    assert not np.array_equal(drawn.truth, other.truth)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_box_is_as_it_is_in_the_whole(name: str, data: st.DataObject) -> None:
    draw, options = CASES[name]
    size = data.draw(st.tuples(*[st.integers(8, 48)] * 3))
    seed = data.draw(st.integers(0, 2**64 - 1))
    low = data.draw(st.tuples(*(st.integers(0, n - 1) for n in size)))
    high = data.draw(st.tuples(*(st.integers(a + 1, n) for a, n in zip(low, size, strict=True))))
    whole, box = draw_whole(draw, size, seed, **options), draw(size, low, high, seed, **options)
    place = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    assert box.image.flags.f_contiguous
    assert box.truth.flags.f_contiguous
    np.testing.assert_array_equal(box.image, whole.image[place])
    np.testing.assert_array_equal(box.truth, whole.truth[place])


@pytest.mark.parametrize(("size", "spacing"), [((96, 80, 72), 16), ((100, 96, 70), 32), ((16, 100, 40), 32)])
def test_every_neurite_is_connected_by_faces(size: Vec, spacing: int) -> None:
    truth = draw_whole(draw_neurites, size, 3, spacing=spacing).truth
    assert truth.min() > 0
    assert count_components(truth) == count_labels(truth) > 1


@settings(max_examples=10, deadline=None)
@given(size=st.tuples(*[st.integers(3, 60)] * 3), seed=st.integers(0, 99), radius=st.floats(3, 9))
def test_every_bead_and_fibre_is_connected_by_faces(size: Vec, seed: int, radius: float) -> None:
    for draw in (draw_beads, draw_fibres):
        truth = draw_whole(draw, size, seed, radius=radius).truth
        assert count_components(truth) == count_labels(truth)


def test_membranes_are_dark_and_as_many_as_in_tissue() -> None:
    drawn = draw_whole(draw_neurites, (96, 96, 80), 1, noise=0.0)
    membrane = touches_another(drawn.truth)
    assert 0.11 < membrane.mean() < 0.18
    assert np.quantile(drawn.image[membrane], 0.999) < 100
    assert 130 < drawn.image[~membrane].mean() < 145


def test_blurred_slices_and_holes_leave_membranes_faint() -> None:
    size: Vec = (96, 64, 64)
    sharp = draw_whole(draw_neurites, size, 1, noise=0.0)
    blurred = draw_whole(draw_neurites, size, 1, noise=0.0, blurred=0.4)
    holes = draw_whole(draw_neurites, size, 1, noise=0.0, holes=0.2)
    membrane = touches_another(sharp.truth)
    for faint in (blurred, holes):
        np.testing.assert_array_equal(faint.truth, sharp.truth)
    slices = (blurred.image != sharp.image).any((0, 1))
    assert 0 < slices.sum() < len(slices)
    assert blurred.image[membrane].mean() > sharp.image[membrane].mean() + 5
    missing = holes.image[membrane].astype(int) > sharp.image[membrane].astype(int) + 40
    assert 0.1 < missing.mean() < 0.3


def test_mitochondria_lie_within_neurites() -> None:
    size: Vec = (80, 64, 64)
    without = draw_whole(draw_neurites, size, 2, noise=0.0, bodies=0.0)
    drawn = draw_whole(draw_neurites, size, 2, noise=0.0, bodies=1.0)
    body = drawn.image != without.image
    assert 0.01 < body.mean() < 0.2
    assert not (body & touches_another(drawn.truth)).any()
    assert 90 < drawn.image[body].mean() < 120


def test_beads_fill_half_of_the_volume_and_none_is_in_another() -> None:
    drawn = draw_whole(draw_beads, (120, 110, 100), 4)
    assert 0.45 < (drawn.truth > 0).mean() < 0.55
    assert 160 < drawn.image[drawn.truth > 0].mean() < 175
    assert 88 < drawn.image[drawn.truth == 0].mean() < 100
    inner = [label for label in np.unique(drawn.truth[40:80, 40:80, 40:60]) if label]
    for label in inner:
        places = np.argwhere(drawn.truth == label)
        if (places.min(0) > 0).all() and (places.max(0) < np.array(drawn.truth.shape) - 1).all():
            middle, radius = places.mean(0), np.cbrt(len(places) * 3 / 4 / np.pi)
            assert np.abs(np.linalg.norm(places - middle, axis=1)).max() < radius + 1.1  # a ball, and all of it


def test_fibres_go_from_end_to_end_and_never_touch() -> None:
    drawn = draw_whole(draw_fibres, (140, 130, 150), 4)
    assert 0.3 < (drawn.truth > 0).mean() < 0.45
    assert set(np.unique(drawn.truth[..., 0])) == set(np.unique(drawn.truth[..., -1])) == set(np.unique(drawn.truth))
    assert count_components(drawn.truth > 0, 26) == count_labels(drawn.truth) > 10


def test_rings_lie_around_the_axis_of_the_volume() -> None:
    size: Vec = (60, 60, 3)
    with_rings = draw_whole(draw_fibres, size, 1, noise=0.0, rings=20.0).image.astype(int)
    rings = with_rings - draw_whole(draw_fibres, size, 1, noise=0.0, rings=0.0).image
    assert np.abs(rings - rings[..., :1]).max() <= 1  # by rounding
    assert np.abs(rings - rings[::-1]).max() <= 1
    assert np.abs(rings).max() > 5


@pytest.mark.parametrize(
    ("draw", "options", "said"),
    [
        (draw_neurites, {"spacing": 15}, "need 16"),
        (draw_neurites, {"spacing": 64}, "too thin"),
        (draw_neurites, {"holes": 1.5}, "holes is a share from 0 to 1, not 1.5"),
        (draw_beads, {"radius": 2.0}, "need 3"),
        (draw_fibres, {"radius": 2.0}, "need 3"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Draw, options: Options, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        draw_whole(draw, (20, 20, 20), 1, **options)


@pytest.mark.parametrize("draw", [draw_neurites, draw_beads, draw_fibres])
@pytest.mark.parametrize(("low", "high"), [((0, 0, 0), (20, 20, 21)), ((-1, 0, 0), (9, 9, 9)), ((5, 5, 5), (9, 5, 9))])
def test_a_box_outside_of_the_volume_is_refused(draw: Draw, low: Vec, high: Vec) -> None:
    with pytest.raises(ValueError, match=r"not within a volume of \(20, 20, 20\) voxels"):
        draw((20, 20, 20), low, high, 1)


def test_more_neurites_than_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        draw_neurites((200_000,) * 3, NONE, (8, 8, 8), 1)


def test_a_box_far_within_a_huge_volume_can_be_drawn() -> None:
    size: Vec = (20_000, 20_000, 20_000)
    low: Vec = (9_000, 13_000, 17_000)
    drawn = draw_neurites(size, low, (9_040, 13_040, 17_040), 1)
    assert count_labels(drawn.truth) > 2
    assert touches_another(drawn.truth).mean() > 0.05
