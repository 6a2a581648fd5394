"""Features of voxels, against SciPy, bioimage-cpp, and images whose features are known; and that no box changes them."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import bioimage_cpp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from teravox.kernels.learning.features import compute, feature_names, margin, memory, slabs
from teravox.kernels.learning.selection import FILTERS, SIGMAS, Feature, Selection, matrix

Grey = NDArray[Any]  # of any number
Doubles = NDArray[np.float64]
Zyx = tuple[float, float, float]

CUBES: Zyx = (1.0, 1.0, 1.0)
THICK: Zyx = (40.0, 8.0, 8.0)  # nanometers
SKEWED: Zyx = (20.0, 8.0, 10.0)
BOTH_WAYS = Selection((*matrix(sigmas=(0.3, 1.0, 3.5)), *matrix(sigmas=(0.7, 3.5), flat=True)))


def noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.uint8]:
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    values.flags.writeable = False
    return values


def kernel(order: int, sigma: float) -> Doubles:
    """SciPy's, made exact for what it measures: the sum of voxels, straight lines, parabolas."""
    reach = int(2 * sigma + 0.5)
    if order == 0 and reach == 0:
        return np.ones(1)
    if order and reach < 2:
        reach, sigma = 1, 0.5  # whatever the sigma, what is exact has the same three weights
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1
    found: Doubles = ndimage.gaussian_filter1d(impulse, sigma, order=order, mode="constant", radius=reach)[::-1]
    distances = np.arange(-reach, reach + 1.0)
    if order == 2:
        found = found - found.mean()
    exact: Doubles = found / (found * distances**order / math.factorial(order)).sum()
    return exact


def expected_features(gray: Grey, feature: Feature, resolution: Zyx) -> list[Doubles]:
    """By SciPy, in double precision."""
    axes = [1, 2] if feature.flat else [0, 1, 2]
    sides = {axis: resolution[axis] / min(resolution) for axis in axes}
    before = math.sqrt(feature.sigma**2 - 1) if feature.sigma > 1 else feature.sigma
    after = min(feature.sigma, 1.0)
    blurred = gray.astype(np.float64)
    for axis, side in sides.items():
        if int(3.5 * before / side + 0.5):
            blurred = ndimage.gaussian_filter1d(blurred, before / side, axis=axis, mode="mirror", truncate=3.5)

    def filtered(values: Doubles, sigma: float, *derived: int) -> Doubles:
        for axis, side in sides.items():
            order = derived.count(axis)
            weights = kernel(order, sigma / side) / side**order
            values = ndimage.correlate1d(values, weights, axis=axis, mode="mirror")
        return values

    def eigenvalues(elements: list[list[Doubles]]) -> list[Doubles]:
        matrices = np.moveaxis(np.array(elements), (0, 1), (-2, -1))
        return list(np.moveaxis(np.linalg.eigvalsh(matrices)[..., ::-1], -1, 0))

    if feature.filter == "gaussian-smoothing":
        return [filtered(blurred, after)]
    if feature.filter == "laplacian-of-gaussian":
        return [np.sum([filtered(blurred, after, axis, axis) for axis in axes], axis=0)]
    if feature.filter == "gaussian-gradient-magnitude":
        return [np.sqrt(np.sum([filtered(blurred, after, axis) ** 2 for axis in axes], axis=0))]
    if feature.filter == "difference-of-gaussians":
        return [filtered(blurred, after) - filtered(blurred, 0.66 * after)]
    if feature.filter == "hessian-of-gaussian-eigenvalues":
        return eigenvalues([[filtered(blurred, after, one, other) for one in axes] for other in axes])
    slopes = [filtered(blurred, 0.5 * after, axis) for axis in axes]
    return eigenvalues([[filtered(one * other, after) for one in slopes] for other in slopes])


def assert_near(found: Grey, expected: list[Doubles]) -> None:
    """To a few of float32's digits of the largest value."""
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() <= 2e-6 * max(255.0, np.abs(np.array(expected)).max())


@pytest.mark.parametrize("resolution", [CUBES, THICK, SKEWED])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("filter", FILTERS)
def test_filters_are_scipy_s_at_every_sigma(filter: str, flat: bool, resolution: Zyx) -> None:
    gray = noise((9, 14, 17))
    for sigma in SIGMAS:
        feature = Feature(filter, sigma, flat)

        found = compute(gray, Selection((feature,)), resolution)

        assert_near(found, expected_features(gray, feature, resolution))


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    sigma=st.floats(0.05, 6.0),
    flat=st.booleans(),
    resolution=st.tuples(*[st.sampled_from([1.0, 1.7, 6.0])] * 3),
)
def test_filters_are_scipy_s_at_every_size(
    shape: tuple[int, int, int], sigma: float, flat: bool, resolution: Zyx
) -> None:
    gray, selection = noise(shape), matrix(sigmas=(sigma,), flat=flat)

    found = compute(gray, selection, resolution)

    expected = [one for feature in selection for one in expected_features(gray, feature, resolution)]
    column = 0
    for feature in selection:
        here = slice(column, column + feature.width)
        assert_near(found[here], expected[here])
        column += feature.width


@pytest.mark.parametrize("sigma", [1.0, 3.5])  # where its kernels are as long
def test_another_library_finds_the_same_where_the_ends_are_far(sigma: float) -> None:
    gray = noise((24, 26, 28), seed=1)
    before = math.sqrt(sigma**2 - 1) if sigma > 1 else sigma
    after = min(sigma, 1.0)
    filters = bioimage_cpp.filters
    blurred = filters.gaussian_smoothing(gray.astype(np.float32), before, window_size=3.5)
    expected = {
        "gaussian-smoothing": filters.gaussian_smoothing(blurred, after, window_size=2),
        "laplacian-of-gaussian": filters.laplacian_of_gaussian(blurred, after, window_size=2),
        "gaussian-gradient-magnitude": filters.gaussian_gradient_magnitude(blurred, after, window_size=2),
        "structure-tensor-eigenvalues": filters.structure_tensor_eigenvalues(
            blurred, 0.5 * after, after, window_size=2
        ),
        "hessian-of-gaussian-eigenvalues": filters.hessian_of_gaussian_eigenvalues(blurred, after, window_size=2),
    }
    inside = (slice(None), *[slice(3, -3)] * 3)  # the blur's ends are the same in both
    for name, theirs in expected.items():
        found = compute(gray, Selection((Feature(name, sigma),)), CUBES)

        theirs = np.moveaxis(theirs.reshape(*gray.shape, -1), -1, 0)
        assert np.abs(found[inside] - theirs[inside]).max() <= 1e-5 * max(255, np.abs(theirs).max())


@settings(max_examples=80, deadline=None)
@given(data=st.data(), resolution=st.sampled_from([CUBES, THICK, SKEWED]), channels=st.sampled_from([None, 2]))
def test_a_voxel_has_the_same_features_in_every_box_that_has_the_margin(
    data: st.DataObject, resolution: Zyx, channels: int | None
) -> None:
    gray = noise((21, 26, 23) if channels is None else (11, 12, 14, channels))
    names = st.sets(st.sampled_from(BOTH_WAYS.chosen), min_size=1, max_size=4)
    selection = Selection(tuple(sorted(data.draw(names))))
    reaches = margin(selection, resolution)
    kept, box = [], []
    for size, reach in zip(gray.shape[:3], reaches, strict=True):
        start = data.draw(st.integers(0, size - 1))
        stop = data.draw(st.integers(start + 1, size))
        first, last = (
            data.draw(st.integers(0, max(0, start - reach))),
            data.draw(st.integers(min(size, stop + reach), size)),
        )
        kept.append((start, stop))
        box.append((first, last))
    inside = tuple((start - first, stop - first) for (start, stop), (first, _) in zip(kept, box, strict=True))

    found = compute(gray[tuple(slice(*ends) for ends in box)], selection, resolution, (inside[0], inside[1], inside[2]))

    whole = compute(gray, selection, resolution)
    assert found.tobytes() == whole[(slice(None), *(slice(*ends) for ends in kept))].tobytes()


def test_a_margin_is_as_wide_as_what_is_looked_at_and_no_wider() -> None:
    for feature in matrix(FILTERS[1:], (1.0, 3.5)):
        selection = Selection((feature,))
        z, y, x = reaches = margin(selection, SKEWED)
        empty = np.zeros([2 * reach + 3 for reach in reaches], np.float32)
        for axis, reach in enumerate(reaches):
            for distance, seen in ((reach, True), (reach + 1, False)):
                place = [z + 1, y + 1, x + 1]
                place[axis] += distance
                gray = empty.copy()
                gray[tuple(place)] = 1e20  # a kernel's ends weigh little
                found = compute(gray, selection, SKEWED)[:, z + 1, y + 1, x + 1]
                assert found.any() == seen or (reach == 0 and not seen)


def test_on_a_parabola_the_derivatives_are_exact() -> None:
    bend = np.array([[4.0, 1.0, -2.0], [1.0, -6.0, 3.0], [-2.0, 3.0, 1.0]])
    places = np.moveaxis(np.indices((40, 40, 40)) - 20.0, 0, -1)
    gray = (0.5 * np.einsum("zyxi,ij,zyxj->zyx", places, bend, places)).astype(np.float32)
    curved = np.linalg.eigvalsh(bend)[::-1]

    for sigma in (1.0, 1.6, 3.5):
        found = compute(gray, matrix(FILTERS[1:], (sigma,)), CUBES, ((18, 22), (18, 22), (18, 22)))
        names = [name.partition(":")[0] for name in feature_names(matrix(FILTERS[1:], (sigma,)))]
        by_name = {name: found[[number for number, one in enumerate(names) if one == name]] for name in names}

        slope = np.linalg.norm(places[18:22, 18:22, 18:22] @ bend, axis=-1)
        assert np.allclose(by_name["hessian-of-gaussian-eigenvalues"], curved[:, None, None, None], atol=2e-3)
        assert np.allclose(by_name["laplacian-of-gaussian"], np.trace(bend), atol=2e-3)
        assert np.allclose(by_name["gaussian-gradient-magnitude"], slope, atol=2e-3)


@pytest.mark.parametrize("sigma", [0.7, 1.6, 5.0])
def test_a_slope_is_as_steep_along_thick_voxels_as_along_thin_ones(sigma: float) -> None:
    selection = matrix(("gaussian-gradient-magnitude", "structure-tensor-eigenvalues"), (sigma,))
    along_x = np.broadcast_to(np.arange(48, dtype=np.float32) * 3, (30, 48, 48))
    along_z = np.broadcast_to(np.arange(30, dtype=np.float32)[:, None, None] * 15, (30, 48, 48))
    kept = ((12, 18), (22, 26), (22, 26))

    for gray in (along_x, along_z):
        found = compute(gray, selection, THICK, kept)

        assert np.allclose(found.reshape(4, -1).T, [3, 9, 0, 0], atol=1e-3)


def test_channels_follow_one_another_within_a_feature() -> None:
    gray = noise((4, 8, 9, 3))
    selection = matrix(sigmas=(0.7, 1.6))
    names = feature_names(selection, 3)

    found = dict(zip(names, compute(gray, selection, CUBES), strict=True))

    assert names[:4] == (
        "gaussian-smoothing:0.7 of channel 0",
        "gaussian-smoothing:0.7 of channel 1",
        "gaussian-smoothing:0.7 of channel 2",
        "gaussian-smoothing:1.6 of channel 0",
    )
    for channel in range(3):
        alone = dict(zip(feature_names(selection), compute(gray[..., channel], selection, CUBES), strict=True))
        for name, values in alone.items():
            feature, space, number = name.partition(" ")
            assert np.array_equal(found[f"{feature} of channel {channel}{space}{number}"], values)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint64", "float32", "float64"])
def test_grey_of_every_type_counts_as_its_number(dtype: str) -> None:
    gray = np.asfortranarray(noise((5, 6, 7)).astype(np.int16) // 2)
    selection = matrix(sigmas=(1.6,))

    assert np.array_equal(compute(gray.astype(dtype), selection, CUBES), compute(gray, selection, CUBES))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_grey_that_is_no_number_is_refused_where_it_is_looked_at(value: float) -> None:
    gray = noise((4, 30, 5)).astype(np.float64)
    gray[2, 25, 1] = value
    selection = matrix(sigmas=(1.0,))

    with pytest.raises(ValueError, match="not finite numbers"):
        compute(gray, selection, CUBES)
    compute(gray, selection, CUBES, ((0, 4), (0, 10), (0, 5)))


def test_what_is_kept_must_lie_in_the_array() -> None:
    gray = noise((4, 5, 6))

    with pytest.raises(ValueError, match="must lie in it"):
        compute(gray, matrix(), CUBES, ((0, 4), (0, 6), (0, 6)))
    with pytest.raises(ValueError, match="2 axes"):
        compute(gray[0], matrix(), CUBES)
    assert compute(gray, matrix(sigmas=(1.0,)), CUBES, ((0, 4), (2, 2), (0, 6))).shape == (10, 4, 0, 6)


@pytest.mark.parametrize(
    "chosen", [matrix(sigmas=(1.0, 5.0)), matrix(("structure-tensor-eigenvalues",), (1.6,), flat=True)]
)
def test_no_more_memory_is_taken_than_is_said(chosen: Selection) -> None:
    gray = noise((30, 60, 64))
    for kept in (None, ((14, 15), (0, 60), (0, 64)), ((3, 20), (20, 30), (5, 60))):
        compute(gray, chosen, THICK, kept)
        tracemalloc.start()
        compute(gray, chosen, THICK, kept)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak <= memory(gray, chosen, THICK, kept) <= 1.1 * peak + 2e6


@pytest.mark.parametrize("kept", [None, ((5, 27), (3, 40), (0, 44))])
def test_slabs_are_the_whole_in_less_memory(kept: tuple[tuple[int, int], ...] | None) -> None:
    gray = noise((30, 40, 44))
    selection = matrix(sigmas=(0.7, 3.5))
    box = None if kept is None else (kept[0], kept[1], kept[2])
    whole = compute(gray, selection, CUBES, box)
    allowed = memory(gray, selection, CUBES, box) / 2

    parts, stop, held = [], 0 if kept is None else kept[0][0], 0
    tracemalloc.start()
    for planes, found in slabs(gray, selection, CUBES, box, allowed):
        peak = tracemalloc.get_traced_memory()[1]
        assert peak - held <= allowed
        assert planes.start == stop
        stop = planes.stop
        parts.append(found.copy())
        held += found.nbytes
        del found
        tracemalloc.reset_peak()
    tracemalloc.stop()

    assert len(parts) > 1
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


def test_a_plane_that_does_not_fit_is_said_with_what_it_takes() -> None:
    gray = noise((30, 40, 44))

    with pytest.raises(
        ValueError, match=r"one plane of 40 x 44 voxels with 42 features takes [0-9.]+ MB, but there are 0.1 MB"
    ):
        next(slabs(gray, matrix(), CUBES, None, 1e5))
