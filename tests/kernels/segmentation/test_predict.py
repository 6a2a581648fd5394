"""Built-in predictions of small arrays, against NumPy and SciPy; and what every one of them promises."""

from __future__ import annotations

import importlib
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from teravox.kernels.segmentation.curvature import sheets, tubes, vessels
from teravox.kernels.segmentation.predict.invert import predict as invert
from teravox.kernels.segmentation.predict.membrane import predict as membrane
from teravox.kernels.segmentation.predict.particles import predict as particles
from teravox.kernels.segmentation.predict.sheetness import predict as sheetness
from teravox.kernels.segmentation.predict.threshold import predict as threshold
from teravox.kernels.segmentation.predict.tubeness import predict as tubeness
from teravox.kernels.segmentation.predict.vesselness import predict as vesselness
from teravox.kernels.segmentation.smoothing import radius, smooth

Grey = NDArray[Any]  # of any number
Floats = NDArray[np.float32]
Zyx = tuple[float, float, float]

SKEWED: Zyx = (20.0, 8.0, 10.0)  # nanometers

STEPS: dict[str, tuple[Callable[..., Floats], dict[str, Any]]] = {  # Any: parameters
    "invert": (invert, {"low": 10, "high": 200}),
    "threshold": (threshold, {"threshold": 120, "sigma": 0.8, "width": 30}),
    "threshold, background": (threshold, {"threshold": 3, "sigma": 0.8, "background": 1.5}),
    "membrane": (membrane, {"sigma": 1.2, "low": 20, "high": 230, "resolution": SKEWED}),
    "membrane, by slice": (membrane, {"sigma": 1.2, "low": 20, "high": 230, "resolution": SKEWED, "per_slice": True}),
    "membrane, bright": (membrane, {"sigma": 0.9, "low": 20, "high": 230, "bright": True}),
    "sheetness": (sheetness, {"sigma": 1.0, "low": 20, "high": 230, "slope": 0.2}),
    "tubeness": (tubeness, {"sigma": 1.0, "low": 20, "high": 230, "resolution": SKEWED}),
    "tubeness, scales": (tubeness, {"sigma": 0.8, "scales": (1.4,), "sharpen": 1.5, "sharpen_threshold": 9.0}),
    "vesselness": (vesselness, {"sigma": 1.0, "low": 20, "high": 230, "sharpen": 0.5, "resolution": SKEWED}),
}
STEPS |= {
    "particles": (particles, {"threshold": 120.0, "holes": 3.0}),
    "particles, unsharp": (particles, {"threshold": 120.0, "denoise": "unsharp", "amount": 2.0, "resolution": SKEWED}),
}
steps = pytest.mark.parametrize("name", STEPS)


def noise(shape: tuple[int, ...], dtype: str = "uint8", seed: int = 0) -> Grey:
    values: Grey = np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)
    values.flags.writeable = False
    return values


def margin_of(name: str) -> tuple[int, int, int]:
    predict, parameters = STEPS[name]
    found: tuple[int, int, int] = vars(predict)["margin"](**parameters) if "margin" in vars(predict) else (0, 0, 0)
    return found


@settings(max_examples=30, deadline=None)
@given(shape=st.tuples(*[st.integers(1, 12)] * 3), sigmas=st.tuples(*[st.sampled_from([0.0, 0.3, 1.0, 1.7, 4.0])] * 3))
def test_smoothing_is_scipy_s(shape: tuple[int, int, int], sigmas: Zyx) -> None:
    values = noise(shape).astype(np.float32)
    expected = values.astype(np.float64)
    for axis, sigma in enumerate(sigmas):
        if radius(sigma):
            expected = ndimage.gaussian_filter1d(expected, sigma, axis=axis, mode="mirror", truncate=3)

    assert np.abs(smooth(values, sigmas) - expected).max() < 1e-3


def hessian_of(values: NDArray[np.float64], sigmas: Zyx) -> NDArray[np.float64]:
    """By voxel, from differences of a smoothed image that goes on at its ends."""
    padded = np.pad(values, 1, mode="edge")

    def moved(*by: int) -> NDArray[np.float64]:
        inside = tuple(slice(1 + step, 1 + step + size) for step, size in zip(by, values.shape, strict=True))
        part: NDArray[np.float64] = padded[inside]
        return part

    matrix = np.empty((*values.shape, 3, 3))
    for a in range(3):
        for b in range(3):
            one, other = np.eye(3, dtype=int)[[a, b]]
            if a == b:
                found = moved(*one) - 2 * values + moved(*-one)
            else:
                found = (moved(*one + other) - moved(*one - other) - moved(*other - one) + moved(*-one - other)) / 4
            matrix[..., a, b] = found * sigmas[a] * sigmas[b]
    return matrix


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    sigmas=st.tuples(*[st.sampled_from([0.0, 0.4, 1.0, 1.7])] * 3),
    dark=st.booleans(),
    seed=st.integers(0, 9),
)
def test_curvature_is_that_of_the_eigenvalues(shape: tuple[int, int, int], sigmas: Zyx, dark: bool, seed: int) -> None:
    values = noise(shape, seed=seed).astype(np.float32) / np.float32(255)
    wide = values.astype(np.float64)
    low, middle, high = np.moveaxis(np.linalg.eigvalsh(hessian_of(wide, sigmas) * (1 if dark else -1)), -1, 0)
    gradient = np.sqrt(sum((sigma * _slope(wide, axis)) ** 2 for axis, sigma in enumerate(sigmas)))

    found = sheets(values, sigmas, dark=dark, slope=0.5)
    assert np.abs(found - np.maximum(np.maximum(high, 0) - 0.5 * gradient, 0)).max() < 1e-4

    across = np.maximum(middle, 1e-12)
    bend = low / (np.where(low >= 0, 0.5, 2.0) * across)
    expected = np.where(middle > 0, across * np.exp(-0.5 * bend**2), 0)
    assert np.abs(tubes(values, sigmas, dark=dark) - expected).max() < 1e-3


@settings(max_examples=10, deadline=None)
@given(
    sigmas=st.tuples(*[st.sampled_from([0.4, 1.0, 1.7])] * 3),
    weights=st.tuples(*[st.sampled_from([0.05, 0.5, 2.0])] * 3),
    dark=st.booleans(),
    seed=st.integers(0, 9),
)
def test_lines_are_weighed_as_their_filters_say(sigmas: Zyx, weights: Zyx, dark: bool, seed: int) -> None:
    values = noise((6, 7, 5), seed=seed).astype(np.float32) / np.float32(255)
    found = np.linalg.eigvalsh(hessian_of(values.astype(np.float64), sigmas) * (1 if dark else -1))

    alpha1, alpha2, _ = weights
    low, middle = found[..., 0], np.maximum(found[..., 1], 1e-12)
    bend = low / (np.where(low >= 0, alpha1, alpha2) * middle)
    sato = np.where(found[..., 1] > 0, middle * np.exp(-0.5 * bend**2), 0)
    assert np.abs(tubes(values, sigmas, dark=dark, alpha1=alpha1, alpha2=alpha2) - sato).max() < 1e-3

    alpha, beta, gamma = weights
    by_size = np.take_along_axis(found, np.argsort(np.abs(found), axis=-1), axis=-1)
    least, *others = np.moveaxis(by_size, -1, 0)
    second, third = np.maximum(others, 1e-10)
    frangi = 1 - np.exp(-((second / third) ** 2) / (2 * alpha**2))
    frangi *= np.exp(-(least**2 / (second * third)) / (2 * beta**2))
    frangi *= 1 - np.exp(-(found**2).sum(axis=-1) / (2 * gamma**2))
    assert np.abs(vessels(values, sigmas, dark=dark, alpha=alpha, beta=beta, gamma=gamma) - frangi).max() < 5e-3


def _slope(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    size = values.shape[axis]
    after = values.take(np.minimum(np.arange(size) + 1, size - 1), axis)
    before = values.take(np.maximum(np.arange(size) - 1, 0), axis)
    slope: NDArray[np.float64] = (after - before) / 2
    return slope


def cut(array: NDArray[Any], low: tuple[int, ...], high: tuple[int, ...]) -> NDArray[Any]:
    return array[tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))]


@steps
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_voxel_is_predicted_the_same_in_every_box_that_has_its_margin(name: str, data: st.DataObject) -> None:
    predict, parameters = STEPS[name]
    image = noise((15, 26, 21))
    low = tuple(data.draw(st.integers(0, size - 1)) for size in image.shape)
    high = tuple(data.draw(st.integers(start + 1, size)) for start, size in zip(low, image.shape, strict=True))
    margin = margin_of(name)
    wide_low = tuple(max(0, start - more) for start, more in zip(low, margin, strict=True))
    wide_high = tuple(min(size, stop + more) for stop, more, size in zip(high, margin, image.shape, strict=True))

    found = predict(cut(image, wide_low, wide_high), None, **parameters)

    inside = tuple(start - wide for start, wide in zip(low, wide_low, strict=True))
    kept = cut(found, inside, tuple(at + stop - start for at, start, stop in zip(inside, low, high, strict=True)))
    whole = cut(predict(image, None, **parameters), low, high)
    assert kept.tobytes() == whole.tobytes()


@steps
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "float32", "float64"])
def test_the_type_of_the_image_does_not_matter(name: str, dtype: str) -> None:
    predict, parameters = STEPS[name]
    limits = {} if name.startswith(("threshold", "particles")) else {"low": 20, "high": 230}

    found = predict(noise((4, 7, 6), dtype), None, **parameters | limits)

    assert found.dtype == np.float32
    assert found.shape == (4, 7, 6, 1)
    assert found.flags.c_contiguous
    assert 0 <= found.min() < found.max() <= 1
    assert found == pytest.approx(predict(noise((4, 7, 6)), None, **parameters | limits), abs=1e-5)


@steps
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 8), (9, 1, 1), (0, 4, 4), (3, 4, 0)])
def test_small_boxes_are_predicted(name: str, shape: tuple[int, int, int]) -> None:
    predict, parameters = STEPS[name]
    found = predict(noise(shape), None, **parameters)
    assert found.shape == (*shape, 1)
    assert np.isfinite(found).all()


@steps
def test_a_channel_is_taken_of_several(name: str) -> None:
    predict, parameters = STEPS[name]
    image = noise((4, 6, 7, 3))
    expected = predict(np.ascontiguousarray(image[..., 2]), None, **parameters)
    assert np.array_equal(predict(image, None, **parameters, channel=2), expected)
    with pytest.raises(ValueError, match="there is no channel 3: the image has 3"):
        predict(image, None, **parameters, channel=3)


@steps
def test_no_step_takes_more_memory_than_it_says(name: str) -> None:
    predict, parameters = STEPS[name]
    image = noise((40, 64, 64))
    predict(image, None, **parameters)  # which compiles
    tracemalloc.start()
    predict(image, None, **parameters)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    said = vars(predict)["memory"](**parameters)
    assert 0.8 * said < peak / image.size <= said + 0.2


def test_black_becomes_1_and_white_0() -> None:
    for dtype in ("uint8", "uint16", "int16", "int8"):
        info = np.iinfo(dtype)
        image = np.array([[[info.min, info.max, (info.min + info.max + 1) // 2]]], dtype)
        assert invert(image, None).ravel() == pytest.approx([1, 0, 0.5], abs=0.01)
    image = np.array([[[-5, 10, 20, 30, 99]]], np.float32)
    assert invert(image, None, low=10, high=30).ravel() == pytest.approx([1, 1, 0.5, 0, 0])
    large = np.array([[[4_000_000_000, 4_000_000_050, 4_000_000_100]]], np.uint32)
    assert invert(large, None, low=4_000_000_000, high=4_000_000_100).ravel() == pytest.approx([1, 0.5, 0])


@pytest.mark.parametrize("predict", [invert, membrane, sheetness, tubeness])
def test_fractions_need_the_ends_of_the_range(predict: Callable[..., Floats]) -> None:
    image = noise((2, 3, 3), "float32")
    with pytest.raises(ValueError, match="float32 has no range of its own: give low and high"):
        predict(image, None, low=0)
    with pytest.raises(ValueError, match="low is 5 and high is 5, but low must be below high"):
        predict(image, None, low=5, high=5)


def test_a_threshold_is_a_step_or_a_ramp() -> None:
    image = np.array([[[0, 99, 100, 101, 110, 120, 255]]], np.uint8)

    def found(**parameters: Any) -> list[float]:
        return [round(float(value), 3) for value in threshold(image, None, threshold=100, **parameters).ravel()]

    assert found(objects=False) == [0, 0, 1, 1, 1, 1, 1]
    assert found() == [1, 1, 0, 0, 0, 0, 0]
    assert found(bright=False) == [0, 0, 1, 1, 1, 1, 1]
    assert found(bright=False, objects=False) == [1, 1, 0, 0, 0, 0, 0]
    assert found(width=40, objects=False) == [0, 0.475, 0.5, 0.525, 0.75, 1, 1]
    assert found(width=40) == [1, 0.525, 0.5, 0.475, 0.25, 0, 0]


def test_spots_are_found_on_uneven_ground() -> None:
    ground = np.linspace(20, 200, 60)[None, None, :] + np.zeros((20, 20, 60))
    spots = np.zeros_like(ground)
    spots[10, 10, 8::15] = 1
    image = (ground + 1200 * ndimage.gaussian_filter(spots, 1.5)).astype(np.uint8)

    bright = threshold(image, None, threshold=2, sigma=1.5, background=5.0, objects=False)[..., 0]

    labels, number = ndimage.label(bright)
    assert number == 4
    assert (labels[10, 10, 8::15] > 0).all()
    with pytest.raises(ValueError, match="background is 1, but must be at least 2"):
        threshold(image, None, threshold=2, sigma=2.0, background=1.0)


def sheet(size: int, sides: Zyx, axis: int, thickness: float = 3.0) -> Grey:
    """A dark sheet across an axis, in the middle of a cube of `size`, in voxels of these sides."""
    places = [np.arange(0, size, side) for side in sides]
    far = np.abs(places[axis] - size // 2)
    values = np.where(far * 2 <= thickness, 40.0, 180.0)
    grown: Grey = np.moveaxis(np.broadcast_to(values, [len(places[n]) for n in (*{0, 1, 2} - {axis}, axis)]), -1, axis)
    return np.ascontiguousarray(ndimage.gaussian_filter1d(grown, 1.0 / sides[axis], axis=axis)).astype(np.uint8)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_membrane_is_found_across_every_axis(axis: int) -> None:
    found = membrane(sheet(32, (1, 1, 1), axis), None, low=40, high=180)[..., 0]
    across = np.moveaxis(found, axis, 0)[:, 16, 16]
    assert across[16] > 0.8
    assert across[:10].max() < 0.05
    assert np.ptp(np.moveaxis(found, axis, 0)[16, 8:24, 8:24]) < 1e-5


def test_the_evidence_is_the_same_in_voxels_that_are_no_cubes() -> None:
    for axis in (1, 2):  # the sheet stands across a fine axis, and is sampled coarsely along another one
        even = sheetness(sheet(40, (1, 1, 1), axis), None)[..., 0]
        skewed = sheetness(sheet(40, (4, 1, 1), axis), None, resolution=(40.0, 10.0, 10.0))[..., 0]
        assert np.abs(even[::4] - skewed).max() < 1e-5
    coarse = sheetness(sheet(40, (1, 1, 2), 2, 6.0), None, sigma=4.0, resolution=(10.0, 10.0, 20.0))
    fine = sheetness(sheet(40, (1, 1, 1), 2, 6.0), None, sigma=4.0)
    assert coarse[20, 20, 10, 0] == pytest.approx(fine[20, 20, 20, 0], rel=0.1)


def test_the_edge_of_a_dark_body_is_no_membrane() -> None:
    image = np.full((24, 24, 48), 180, np.uint8)
    image[:, :, 24:] = 60
    image[:, :, 10:12] = 60
    plain = sheetness(image, None, sigma=1.5, slope=0.0)[12, 12, :, 0]
    less = sheetness(image, None, sigma=1.5, slope=0.5)[12, 12, :, 0]
    assert plain[20:30].max() > 0.3
    assert less[20:30].max() < 0.6 * plain[20:30].max()
    assert less[10:12].max() > 0.8 * plain[10:12].max()


def test_slices_are_looked_at_alone() -> None:
    image = noise((5, 20, 22))
    for predict in (membrane, sheetness):
        whole = predict(image, None, per_slice=True)
        for z in range(5):
            assert np.array_equal(predict(image[z : z + 1], None, per_slice=True), whole[z : z + 1])


def test_a_tube_is_found_and_a_sheet_and_a_ball_are_not() -> None:
    z, y, x = np.ogrid[:40, :40, :80]
    tube = np.exp(-((z - 20) ** 2 + (y - 20) ** 2) / 18) * (x < 30)
    wall = np.exp(-((x - 60) ** 2) / 18) + 0 * z + 0 * y
    image = (200 * np.maximum(tube, wall)).astype(np.uint8)
    found = 1 - tubeness(image, None, sigma=3.0, low=0, high=200)[..., 0]
    assert found[20, 20, 10] == pytest.approx(1, abs=0.01)
    assert found[:, :, 55:65].max() < 0.1
    assert found[20, 32, 10] < 0.05
    turned = tubeness(255 - image, None, dark=True, objects=False)
    assert turned == pytest.approx(tubeness(image, None, objects=False), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("membrane", {"darkness": 1.5}, "darkness is 1.5, but must be from 0 to 1"),
        ("membrane", {"slope": -1.0}, "slope is -1, but must be at least 0"),
        ("membrane", {"contrast": 0.0}, "contrast is 0, but must be above 0"),
        ("membrane", {"sigma": float("nan")}, "sigma is nan, but must be at least 0"),
        ("sheetness", {"sigma": -1.0}, "sigma is -1, but must be at least 0"),
        ("tubeness", {"contrast": -2.0}, "contrast is -2, but must be above 0"),
        ("tubeness", {"alpha2": 0.0}, "alpha2 is 0, but must be above 0"),
        ("tubeness", {"scales": (2.0, -1.0)}, "scales is -1, but must be at least 0"),
        ("tubeness", {"sharpen": -1.0}, "sharpen is -1, but must be at least 0"),
        ("vesselness", {"gamma": -0.1}, "gamma is -0.1, but must be above 0"),
        ("threshold", {"threshold": 3.0, "width": -1.0}, "width is -1, but must be at least 0"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(name: str, parameters: dict[str, float], said: str) -> None:
    predict = importlib.import_module(f"teravox.kernels.segmentation.predict.{name}").predict
    with pytest.raises(ValueError, match=said):
        predict(noise((3, 3, 3)), None, **parameters)
