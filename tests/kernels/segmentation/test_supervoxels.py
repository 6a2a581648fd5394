from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import bioimage_cpp
import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from real_volumes import real
from scipy import ndimage
from skimage.segmentation import watershed

from teravox.kernels.segmentation.flood import OUTSIDE, TOP, flood, heights_of
from teravox.kernels.segmentation.maxima import number_tops
from teravox.kernels.segmentation.supervoxels.components import supervoxels as components
from teravox.kernels.segmentation.supervoxels.distance_watershed import supervoxels as distance_watershed
from teravox.kernels.segmentation.supervoxels.mutex_watershed import supervoxels as mutex_watershed
from teravox.kernels.segmentation.supervoxels.seeded_watershed import supervoxels as seeded_watershed
from teravox.kernels.segmentation.supervoxels.slic import supervoxels as slic

Floats = NDArray[np.float32]
Labels = NDArray[np.uint32]

STEPS = {
    "seeded-watershed": seeded_watershed,
    "distance-watershed": distance_watershed,
    "components": components,
    "slic": slic,
}
WATERSHEDS = {name: STEPS[name] for name in ("seeded-watershed", "distance-watershed")}


def cells(shape: tuple[int, ...], seed: int = 0, sigma: float = 2.0) -> Floats:
    """Boundaries between blobs: smooth noise, stretched to 0..1, with a channel axis."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), sigma)
    noise -= noise.min()
    cells: Floats = (noise / max(noise.max(), 1e-9)).astype(np.float32)[..., np.newaxis]
    return cells


def some_mask(shape: tuple[int, ...], seed: int = 1) -> NDArray[np.bool_]:
    return np.asarray(ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 3) > 0.495)


def numbered(labels: Labels) -> bool:
    found = np.unique(labels[labels != 0])
    return labels.dtype == np.uint32 and np.array_equal(found, np.arange(1, len(found) + 1))


def same_partition(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    pairs = np.unique(np.stack([one.reshape(-1), other.reshape(-1)]), axis=1)
    return len(pairs[0]) == len(np.unique(one)) == len(np.unique(other))


@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 9)),
    heights=st.sampled_from([3, 100, 60000]),
    masked=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_a_flood_equals_scikit_images_where_heights_differ_and_covers_the_same_voxels_where_they_do_not(
    shape: tuple[int, int, int], heights: int, masked: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, heights, shape).astype(np.uint16)
    distinct = heights == 60000
    if distinct:
        levels = rng.permutation(levels.size).astype(np.uint16).reshape(shape)
    seeds = np.where(rng.random(shape) < 0.1, rng.integers(1, 5, shape), 0).astype(np.uint32)
    mask = rng.random(shape) < 0.8 if masked else None
    ours = flood(levels, seeds, mask)
    theirs = watershed(levels, seeds.astype(np.int32), mask=mask)
    assert np.array_equal(ours > 0, theirs > 0)
    assert numbered(ours)
    if distinct:
        assert same_partition(ours, theirs)


def test_a_flood_of_a_smooth_map_is_scikit_images() -> None:
    heights = heights_of(cells((20, 40, 40), sigma=1.5)[..., 0])
    seeds = number_tops(TOP - heights.astype(np.float32))
    ours = flood(heights, seeds)
    theirs = watershed(heights, seeds.astype(np.int32))
    assert np.mean(ours == theirs) > 0.999
    assert ours.max() > 20


def test_a_flood_of_a_real_image_is_scikit_images() -> None:
    gray = np.load(real("fib25_medulla/gray_unlabelled.npz"))["gray"][:50, :100, :100].astype(np.float32)
    boundary = 1 - ndimage.gaussian_filter(gray, 1) / 255
    heights = heights_of(boundary)
    seeds = number_tops(ndimage.gaussian_filter(1 - boundary, 3))
    labels = flood(heights, seeds)
    assert labels.max() > 50
    assert np.mean(labels == watershed(boundary, seeds.astype(np.int32))) > 0.999


def test_a_plateau_is_shared_by_the_steps_from_each_seed() -> None:
    shape = (7, 30, 40)
    seeds = np.zeros(shape, np.uint32)
    places = np.random.default_rng(0).integers(0, shape, (9, 3))
    seeds[tuple(places.T)] = np.arange(1, 10)
    labels = flood(np.full(shape, 7, np.uint16), seeds)
    steps = np.abs(np.indices(shape)[:, np.newaxis] - places.T[:, :, np.newaxis, np.newaxis, np.newaxis]).sum(0)
    own = np.take_along_axis(steps, labels[np.newaxis].astype(np.int64) - 1, 0)[0]
    assert np.array_equal(own, steps.min(0))


def test_more_voxels_may_wait_than_there_is_room_for_in_the_beginning() -> None:
    seeds = np.zeros((3, 300, 300), np.uint32)
    seeds[0] = np.arange(1, 90001).reshape(300, 300)
    labels = flood(np.zeros(seeds.shape, np.uint16), seeds)
    assert np.array_equal(labels, seeds[:1].repeat(3, 0))


def test_a_flood_per_slice_is_that_of_each_slice() -> None:
    heights = heights_of(cells((4, 20, 22))[..., 0])
    seeds = np.zeros(heights.shape, np.uint32)
    seeds[1, 3, 3], seeds[1, 15, 15], seeds[3, 9, 9] = 1, 2, 3
    labels = flood(heights, seeds, per_slice=True)
    assert [np.unique(plane).tolist() for plane in labels] == [[0], [1, 2], [0], [3]]


def test_small_segments_are_flooded_again_from_the_others() -> None:
    heights = heights_of(cells((12, 30, 30), seed=3)[..., 0])
    seeds = number_tops(TOP - heights.astype(np.float32))
    first = flood(heights, seeds)
    sizes = np.bincount(first.reshape(-1))
    least = int(np.sort(sizes[1:])[len(sizes) // 2])  # that of a segment, which remains
    small = (sizes < least)[first]
    assert 0 < small.mean() < 1
    again = watershed(heights, np.where(small, 0, first).astype(np.int32))
    ours = flood(heights, seeds, min_size=least)
    assert numbered(ours)
    assert np.bincount(ours.reshape(-1))[1:].min() >= least
    assert np.mean(np.unique(again, return_inverse=True)[1].reshape(again.shape) + 1 == ours) > 0.999


@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 7)),
    heights=st.integers(2, 40),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_tops_are_the_plateaus_without_anything_higher_beside(
    shape: tuple[int, int, int], heights: int, seed: int
) -> None:
    levels = np.random.default_rng(seed).integers(0, heights, shape).astype(np.float32)
    beside = np.ones((3, 3, 3), bool)
    expected = np.zeros(shape, bool)
    for height in np.unique(levels[levels > 0]):
        plateaus, number = ndimage.label(levels == height, beside)
        for plateau in range(1, number + 1):
            around = ndimage.binary_dilation(plateaus == plateau, beside)
            if levels[around].max() == height:
                expected |= plateaus == plateau
    tops = number_tops(levels)
    assert np.array_equal(tops > 0, expected)
    assert same_partition(tops, ndimage.label(expected, beside)[0])
    assert numbered(tops)


def by_definition(boundary: Floats, mask: NDArray[np.bool_] | None, threshold: float, size: int, least: int) -> Labels:
    """The seeded watershed of Plaza and Berg, with scikit-image."""
    boundary = boundary.copy()
    if mask is not None:
        boundary[~mask] = 2
    seeds, _ = ndimage.label(boundary <= threshold)
    sizes = np.bincount(seeds.reshape(-1))
    seeds[(sizes < size)[seeds]] = 0
    levels = np.where(boundary > 1, OUTSIDE, heights_of(boundary))
    labels = watershed(levels, seeds)
    if least > 1:
        labels[(np.bincount(labels.reshape(-1)) < least)[labels]] = 0
        labels = watershed(levels, labels)
    if mask is not None:
        labels[~mask] = 0
    return np.asarray(labels, np.uint32)


@pytest.mark.parametrize("least", [0, 150])
@pytest.mark.parametrize("masked", [False, True])
def test_seeded_watershed_is_as_it_was_defined(masked: bool, least: int) -> None:
    prediction = cells((16, 36, 40), seed=5)
    mask = some_mask((16, 36, 40)) if masked else None
    ours = seeded_watershed(prediction, mask, seed_threshold=0.35, seed_size=5, min_segment_size=least)
    theirs = by_definition(prediction[..., 0], mask, 0.35, 5, least)
    assert numbered(ours)
    assert ours.max() > 8
    assert np.array_equal(ours > 0, theirs > 0)
    pairs, counts = np.unique(np.stack([ours.reshape(-1), theirs.reshape(-1)]), axis=1, return_counts=True)
    largest: dict[int, int] = {}
    for one, voxels in zip(pairs[0], counts, strict=True):
        largest[one] = max(voxels, largest.get(one, 0))
    assert sum(largest.values()) > 0.999 * ours.size


def test_seeds_are_up_to_the_threshold_and_at_least_of_a_size() -> None:
    boundary = np.ones((1, 5, 12, 1), np.float32)
    boundary[0, 1, 1:6] = 0.2  # five voxels, joined by their faces
    boundary[0, 3, 8:12] = 0.1  # only four
    assert seeded_watershed(boundary, None).max() == 1
    assert seeded_watershed(boundary, None, seed_size=4).max() == 2
    assert seeded_watershed(boundary, None, seed_size=6).max() == 0
    assert seeded_watershed(boundary, None, seed_threshold=0.19).max() == 0


def test_distance_watershed_finds_touching_balls() -> None:
    z, y, x = np.mgrid[:24, :24, :48]
    inside = ((z - 12) ** 2 + (y - 12) ** 2 + (x - 14) ** 2 < 81) | ((z - 12) ** 2 + (y - 12) ** 2 + (x - 30) ** 2 < 81)
    prediction = np.where(inside, 0, 1).astype(np.float32)[..., np.newaxis]
    labels = distance_watershed(prediction, None, highest=0.5)
    assert labels.max() == 2
    assert np.array_equal(labels > 0, inside)
    assert np.all(labels[:, :, :21][inside[:, :, :21]] == labels[12, 12, 14])
    assert np.all(labels[:, :, 24:][inside[:, :, 24:]] == labels[12, 12, 30])


def test_distances_are_in_units_of_the_finest_voxels() -> None:
    z, y, x = np.mgrid[:48, :24, :24]
    inside = ((z - 14) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < 81) | ((z - 30) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < 81)
    prediction = np.where(inside, 0, 1).astype(np.float32)[..., np.newaxis]
    thin = np.ascontiguousarray(prediction[::4])
    labels = distance_watershed(thin, None, resolution=(40.0, 10.0, 10.0), min_size=0)
    assert labels.max() == 2
    assert labels[3, 12, 12] != labels[7, 12, 12]


def test_distance_watershed_per_slice_is_that_of_each_slice() -> None:
    prediction = cells((5, 40, 44), seed=9)
    stack = distance_watershed(prediction, None, per_slice=True, resolution=(50.0, 4.0, 4.0))
    assert numbered(stack)
    for z in range(5):
        alone = distance_watershed(prediction[z : z + 1], None, per_slice=True, resolution=(50.0, 4.0, 4.0))[0]
        assert same_partition(stack[z], alone)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_components_are_those_of_cc3d(connectivity: Literal[6, 18, 26]) -> None:
    prediction = cells((9, 20, 21), sigma=0.7)
    mask = some_mask((9, 20, 21))
    labels = components(prediction, mask, connectivity=connectivity, threshold=0.45)
    theirs = cc3d.connected_components((prediction[..., 0] < 0.45) & mask, connectivity=connectivity)
    assert same_partition(labels, theirs)
    kept = components(prediction, mask, connectivity=connectivity, threshold=0.45, min_size=4)
    assert np.array_equal(kept > 0, (np.bincount(theirs.reshape(-1)) >= 4)[theirs] & (theirs > 0))
    assert numbered(kept)


def test_components_per_slice_do_not_go_on_in_the_next_one() -> None:
    labels = components(np.zeros((3, 4, 4, 1), np.float32), None, per_slice=True)
    assert [np.unique(plane).tolist() for plane in labels] == [[1], [2], [3]]


def test_slic_clusters_are_of_about_the_size_and_follow_values() -> None:
    prediction = np.zeros((12, 24, 24, 2), np.float32)
    prediction[:, :, 12:, 1] = 1
    labels = slic(prediction, None, size=400)
    assert 8 <= labels.max() <= 30
    assert not set(np.unique(labels[:, :, :12])) & set(np.unique(labels[:, :, 12:]))


def test_slic_weighs_nearness_the_same_whatever_else_is_in_the_box() -> None:
    prediction = cells((6, 20, 20), sigma=1) * np.float32(0.3)
    brighter = prediction.copy()
    brighter[0, 0, 0] = 1
    assert np.mean(slic(prediction, None, size=100) == slic(brighter, None, size=100)) > 0.9


def affinities(labels: NDArray[np.integer], offsets: tuple[tuple[int, int, int], ...]) -> Floats:
    """1 where the voxel and the one at the offset hold the same, 0 where they do not."""
    found = np.ones((*labels.shape, len(offsets)), np.float32)
    for channel, (dz, dy, dx) in enumerate(offsets):
        for at in np.ndindex(labels.shape):
            z, y, x = at[0] + dz, at[1] + dy, at[2] + dx
            if min(z, y, x) >= 0:
                found[(*at, channel)] = labels[at] == labels[z, y, x]
    return found


def mutex_by_others(
    strengths: Floats, offsets: tuple[tuple[int, int, int], ...], strides: tuple[int, int, int], mask: object
) -> Labels:
    by_channel = np.ascontiguousarray(np.moveaxis(strengths, 3, 0))
    ways = [list(one) for one in offsets]
    return np.asarray(bioimage_cpp.segmentation.mutex_watershed(by_channel, ways, 3, strides=strides, mask=mask))


@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
    bias=st.sampled_from([0.3, 0.5, 0.7]),
    strides=st.sampled_from([(1, 1, 1), (1, 2, 3)]),
    masked=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_mutex_watershed_is_that_of_bioimage_cpp_where_no_two_strengths_are_equal(
    shape: tuple[int, int, int], bias: float, strides: tuple[int, int, int], masked: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    offsets = ((-1, 0, 0), (0, -1, 0), (0, 0, -1), (-2, 0, 0), (0, -3, 1), (1, 0, -2))
    size = int(np.prod(shape)) * 6
    strengths = (((rng.permutation(size) + 1) / (size + 1)) ** (2 * bias)).astype(np.float32).reshape(*shape, 6)
    prediction = strengths.copy()
    prediction[..., 3:] = 1 - prediction[..., 3:]
    mask = rng.random(shape) < 0.8 if masked else None
    ours = mutex_watershed(prediction, mask, offsets=offsets, strides=strides)
    assert numbered(ours)
    assert same_partition(ours, mutex_by_others(strengths, offsets, strides, mask))


def test_mutex_watershed_has_room_for_any_number_of_bans() -> None:
    shape = (20, 22, 24)
    offsets = ((-1, 0, 0), (0, -1, 0), (0, 0, -1), (-2, 0, 0), (0, -3, 0), (0, 0, -3))
    steps = np.random.default_rng(0).permutation(int(np.prod(shape)) * 6) + 1
    strengths = (steps / 65535).astype(np.float32).reshape(*shape, 6)
    prediction = np.concatenate([strengths[..., :3], 1 - strengths[..., 3:]], 3)
    ours = mutex_watershed(prediction, None, offsets=offsets)
    assert ours.max() > 300
    assert same_partition(ours, mutex_by_others(strengths, offsets, (1, 1, 1), None))


def test_mutex_watershed_finds_what_the_affinities_were_made_of() -> None:
    truth = np.random.default_rng(2).integers(0, 4, (2, 3, 3)).repeat(3, 0).repeat(4, 1).repeat(4, 2)
    offsets = ((-1, 0, 0), (0, -1, 0), (0, 0, -1), (-2, 0, 0), (0, -3, 0), (0, 0, -3))
    labels = mutex_watershed(affinities(truth, offsets), None, offsets=offsets)
    assert same_partition(labels, cc3d.connected_components(truth + 1, connectivity=6))
    assert numbered(labels)
    mask = some_mask(truth.shape)
    masked = mutex_watershed(affinities(truth, offsets), mask, offsets=offsets, min_size=5)
    assert not masked[~mask].any()
    assert np.bincount(masked.reshape(-1))[1:].min() >= 5


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_two_runs_are_the_same_and_leave_what_they_were_given(step: Callable[..., Labels]) -> None:
    prediction, mask = cells((10, 20, 24), seed=4), some_mask((10, 20, 24))
    before = prediction.copy(), mask.copy()
    prediction.flags.writeable = mask.flags.writeable = False
    one, other = step(prediction, mask), step(prediction, mask)
    assert one.tobytes() == other.tobytes()
    assert one.flags.c_contiguous
    assert one.max() > 0
    assert numbered(one)
    assert not one[~mask].any()
    assert np.array_equal(prediction, before[0])
    assert np.array_equal(mask, before[1])


@pytest.mark.parametrize("shape", [(0, 3, 3), (1, 1, 1), (1, 7, 6), (5, 1, 1), (4, 5, 6)])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_constant_boxes_have_one_label_or_none(
    step: Callable[..., Labels], value: float, shape: tuple[int, ...]
) -> None:
    prediction = np.full((*shape, 1), value, np.float32)
    labels = step(prediction, None, **({"min_size": 0} if step is distance_watershed else {}))
    assert labels.shape == shape
    assert labels.dtype == np.uint32
    assert len(np.unique(labels)) <= 1
    if value == 0 and step is not seeded_watershed:
        assert labels.size == 0 or labels.max() == 1
    nothing = step(prediction, np.zeros(shape, bool))
    assert nothing.shape == shape
    assert not nothing.any()


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_predictions_that_are_none_are_refused(step: Callable[..., Labels]) -> None:
    prediction = cells((3, 4, 5))
    holed = prediction.copy()
    holed[1, 1, 1] = np.nan
    with pytest.raises(ValueError, match="not numbers"):
        step(holed, None)
    with pytest.raises(ValueError, match=r"from 0 to 2\b.*must have them from 0 to 1"):
        step(prediction * np.float32(2), None)
    with pytest.raises(ValueError, match="the prediction is float64"):
        step(prediction.astype(np.float64), None)
    with pytest.raises(ValueError, match="the mask is bool of"):
        step(prediction, np.ones((3, 4, 4), bool))


@pytest.mark.parametrize(
    ("step", "given", "sentence"),
    [
        (seeded_watershed, {"boundary_channel": 1}, r"there is no channel 1: the prediction has 1"),
        (seeded_watershed, {"seed_threshold": -0.1}, "seed_threshold is -0.1, but must be from 0 to 1"),
        (distance_watershed, {"threshold": 1.5}, "threshold is 1.5"),
        (distance_watershed, {"sigma_seeds": -1.0}, "sigma_seeds is -1, but must be at least 0"),
        (distance_watershed, {"reach": 0.0}, "reach is 0, but must be above 0"),
        (components, {"min_size": -1}, "min_size is -1"),
        (slic, {"compactness": 0.0}, "compactness is 0"),
        (mutex_watershed, {}, "1 channels, not 6"),
        (mutex_watershed, {"offsets": ((0, 0, -1),), "attractive": 2}, "attractive is 2"),
    ],
)
def test_wrong_parameters_are_refused(step: Callable[..., Labels], given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        step(cells((3, 4, 5)), None, **given)
