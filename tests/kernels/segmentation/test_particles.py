"""How beads and grains are found in an array, against SciPy and scikit-image; and that blocks agree on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import ball, local_maxima, reconstruction

from teravox.kernels.segmentation.basins import number_hills
from teravox.kernels.segmentation.morphology import fill_holes, open_by_ball, take_majority
from teravox.kernels.segmentation.predict.particles import predict
from teravox.kernels.segmentation.supervoxels.h_maxima_watershed import supervoxels
from teravox.kernels.synthetic.beads import draw_beads

Mask = NDArray[np.bool_]
EVEN = (1.0, 1.0, 1.0)
ALL_AROUND = np.ones((3, 3, 3), np.bool_)


def blobs(seed: int, shape: tuple[int, ...] = (20, 22, 19), share: float = 0.5) -> Mask:
    """Things and holes of several voxels."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.4)
    return np.asarray(smooth > np.quantile(smooth, 1 - share), np.bool_)


@settings(max_examples=15, deadline=None)
@given(shape=st.tuples(*[st.integers(0, 12)] * 3), radii=st.tuples(*[st.integers(0, 3)] * 3), seed=st.integers(0, 99))
def test_a_median_may_be_taken_after_the_threshold(
    shape: tuple[int, int, int], radii: tuple[int, int, int], seed: int
) -> None:
    gray = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    median = gray if gray.size == 0 else ndimage.median_filter(gray, [2 * n + 1 for n in radii], mode="mirror")

    assert np.array_equal(take_majority(gray >= 120, radii), median >= 120)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_opening_is_that_by_a_ball(radius: int) -> None:
    mask = blobs(radius, share=0.7)
    eroded = ndimage.binary_erosion(mask, ball(radius), border_value=1)

    assert np.array_equal(open_by_ball(mask, radius, EVEN), ndimage.binary_dilation(eroded, ball(radius)))
    assert eroded.any()
    assert not open_by_ball(np.zeros((3, 4, 5), np.bool_), radius, EVEN).any()


def test_a_ball_is_flat_where_voxels_are_thick() -> None:
    mask = np.zeros((9, 9, 9), np.bool_)
    mask[4, 2:7, 2:7] = True

    assert not open_by_ball(mask, 2, EVEN).any()
    assert open_by_ball(mask, 2, (30.0, 10.0, 10.0)).sum() == 13  # the disc of radius 2


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), width=st.integers(1, 6))
def test_holes_are_filled_up_to_their_width(seed: int, width: int) -> None:
    mask = blobs(seed, share=0.8)
    pieces, _ = ndimage.label(~mask)
    expected = mask.copy()
    for number, place in enumerate(ndimage.find_objects(pieces), 1):
        at_end = any(one.start == 0 or one.stop == n for one, n in zip(place, mask.shape, strict=True))
        if not at_end and max(one.stop - one.start for one in place) <= width:
            expected |= pieces == number

    assert np.array_equal(fill_holes(mask, (width, width, width)), expected)
    assert np.array_equal(fill_holes(mask, (99, 99, 99)), ndimage.binary_fill_holes(mask))


def test_a_hole_of_a_single_slice_is_filled() -> None:
    ring = np.ones((1, 5, 5), np.bool_)
    ring[0, 2, 2] = False

    assert fill_holes(ring, (3, 3, 3)).all()
    assert np.array_equal(fill_holes(ring, (0, 0, 0)), ring)


@pytest.mark.parametrize("cleaning", [{"opening": 1.5}, {"holes": 3.0}, {"opening": 1.0, "holes": 2.0}], ids=str)
def test_what_is_cleaned_is_the_same_in_every_box(cleaning: dict[str, float]) -> None:
    smooth = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(24, 26, 25)), 0.8)
    gray = np.where(smooth > np.quantile(smooth, 0.2), 170, 90).astype(np.uint8)
    said: dict[str, Any] = {"threshold": 130.0, "denoise": "none", "resolution": (12.0, 10.0, 10.0), **cleaning}
    margin = vars(predict)["margin"](**said)
    whole = predict(gray, None, **said)[..., 0]
    for axis, more in enumerate(margin):
        for at in range(gray.shape[axis]):
            low, high = max(0, at - more), min(gray.shape[axis], at + 1 + more)
            box = np.ascontiguousarray(gray.take(range(low, high), axis))
            found = predict(box, None, **said)[..., 0].take(at - low, axis)
            assert np.array_equal(found, whole.take(at, axis))
    assert np.mean(whole != predict(gray, None, **said | {"opening": 0.0, "holes": 0.0})[..., 0]) > 0.005


def test_dark_things_are_found_as_bright_ones_are() -> None:
    gray = np.where(blobs(1), 170, 90).astype(np.uint8)

    bright = predict(gray, None, threshold=130.0, denoise="none")
    dark = predict(np.asarray(255 - gray), None, threshold=125.5, denoise="none", bright=False)
    assert np.array_equal(bright, dark)
    assert np.array_equal(bright[..., 0] == 0, blobs(1))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"threshold": "otsu"}, "threshold is 'otsu', which is found in a whole image: give a number"),
        ({"threshold": 1.0, "opening": -1.0}, "opening is -1, but must be at least 0"),
        ({"threshold": 1.0, "radius": 16.0}, "radius is 16, but must be at most 15 for a median"),
    ],
)
def test_what_cannot_be_meant_is_refused(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        predict(np.zeros((2, 3, 4), np.uint8), None, **parameters)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 8)] * 3),
    levels=st.sampled_from([3, 6, 40]),
    rise=st.sampled_from([0.0, 0.5, 1.5, 2.5]),
    seed=st.integers(0, 999),
)
def test_hills_are_as_many_as_h_maxima(shape: tuple[int, int, int], levels: int, rise: float, seed: int) -> None:
    heights = np.random.default_rng(seed).integers(0, levels, shape).astype(np.float32)
    deep = np.where(heights > 0, heights, np.float32(-99))  # so that a thing which is low has a top of its own, too
    lowered = reconstruction(deep - rise, deep, footprint=ALL_AROUND) if rise else deep
    around = np.pad(lowered, 1, constant_values=-999)  # what is higher than all around it is a top, also all there is
    tops = label(local_maxima(around)[1:-1, 1:-1, 1:-1] & (heights > 0), connectivity=3)
    hills = number_hills(heights, EVEN, rise=rise)

    assert np.array_equal(hills > 0, heights > 0)
    assert hills.max(initial=0) == tops.max(initial=0)
    assert all(len(np.unique(hills[tops == top])) == 1 for top in range(1, tops.max() + 1))


def test_balls_are_told_apart_by_how_thin_they_are_between_them() -> None:
    z, y, x = np.ogrid[:40, :40, :70]
    first = (z - 20) ** 2 + (y - 20) ** 2 + (x - 22) ** 2 <= 14**2
    second = (z - 20) ** 2 + (y - 20) ** 2 + (x - 46) ** 2 <= 12**2
    boundary = (~(first | second)).astype(np.float32)[..., None]

    labels = supervoxels(boundary, None)
    assert labels.max() == 2
    assert (labels[first & (x < 30)] == 1).all()
    assert (labels[second & (x > 40)] == 2).all()
    assert supervoxels(boundary, None, relative=0.6).max() == 1
    assert supervoxels(boundary, None, h=9.0).max() == 1
    assert supervoxels(boundary, None, min_radius=13.0).max() == 1
    mask = np.broadcast_to(x < 34, first.shape)
    assert (supervoxels(boundary, mask)[~mask] == 0).all()


def test_a_bead_is_the_same_in_every_box_that_has_it() -> None:
    size = (90, 80, 84)
    gray = np.ascontiguousarray(draw_beads(size, (0, 0, 0), size, 5, radius=9).image.T)
    boundary = predict(gray, None, threshold=131.0)
    whole = supervoxels(boundary, None)
    for low, high in (((0, 0, 0), (60, 64, 66)), ((20, 11, 30), (84, 76, 90))):
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        inner = tuple(slice(20, -20) for _ in box)  # more than a bead is wide
        there, here = whole[box][inner], supervoxels(np.ascontiguousarray(boundary[box]), None)[inner]
        pairs = np.unique(np.stack([there.ravel(), here.ravel()]), axis=1)
        assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1] > 4
