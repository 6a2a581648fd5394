"""Filters of lines and the unsharp mask, against scikit-image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.filters import frangi, sato, unsharp_mask

from teravox.kernels.segmentation.predict.tubeness import predict as tubeness
from teravox.kernels.segmentation.predict.vesselness import predict as vesselness
from teravox.kernels.segmentation.unsharp import sharpen
from teravox.kernels.synthetic.fibres import draw_fibres

Floats = NDArray[np.float64]
SIZE = (40, 44, 24)


@pytest.fixture(scope="module")
def bundle() -> NDArray[np.uint8]:
    """Fibres, as z, y and x."""
    return np.ascontiguousarray(draw_fibres(SIZE, (0, 0, 0), SIZE, 3, radius=4.0).image.T)


def inner(array: NDArray[np.generic]) -> Floats:
    """What no end of the volume has a part in."""
    part: Floats = array[8:-8, 8:-8, 8:-8].astype(np.float64).ravel()
    return part


def test_frangi_s_filter_is_that_of_scikit_image(bundle: NDArray[np.uint8]) -> None:
    sigma, gamma = 2.5, 0.05
    ours = vesselness(bundle, None, sigma=sigma, gamma=gamma, alpha=0.4, beta=0.6, objects=False)[..., 0]
    theirs = frangi(
        bundle / 255.0, sigmas=[sigma], alpha=0.4, beta=0.6, gamma=gamma / sigma**2, black_ridges=False, mode="reflect"
    )
    assert np.corrcoef(inner(ours), inner(theirs))[0, 1] > 0.997
    assert inner(theirs).max() > 0.8
    assert np.abs(inner(ours) - inner(theirs)).mean() < 0.01


def test_sato_s_filter_follows_that_of_scikit_image(bundle: NDArray[np.uint8]) -> None:
    """Theirs is the mean of both curvatures across, and knows no alphas; on fibres along z that is much the same."""
    ours = tubeness(bundle, None, sigma=2.0, contrast=1.0, objects=False)[..., 0]
    theirs = sato(bundle / 255.0, sigmas=[2.0], black_ridges=False)
    assert np.corrcoef(inner(ours), inner(theirs))[0, 1] > 0.97


@pytest.mark.parametrize("predict", [tubeness, vesselness])
def test_the_strongest_of_several_scales_counts(
    bundle: NDArray[np.uint8], predict: Callable[..., NDArray[np.float32]]
) -> None:
    alone = [predict(bundle, None, sigma=sigma, objects=False, low=90, high=180) for sigma in (1.0, 2.5, 4.0)]
    together = predict(bundle, None, sigma=2.5, scales=(1.0, 4.0), objects=False, low=90, high=180)
    assert np.array_equal(together, np.max(alone, axis=0))
    assert not np.array_equal(together, alone[1])


def test_sharpening_is_the_unsharp_mask_of_scikit_image(bundle: NDArray[np.uint8]) -> None:
    values = np.pad(bundle, 10, mode="reflect").astype(np.float32)
    expected = unsharp_mask(values, radius=1.5, amount=2.0, preserve_range=True)
    found = sharpen(values.copy(), (1.5, 1.5, 1.5), 2.0)
    assert np.abs(inner(found) - inner(expected)).max() < 0.3  # their blur reaches farther
    assert np.abs(inner(found) - inner(values)).max() > 20


def test_what_a_blur_takes_away_counts_from_a_threshold_on() -> None:
    values = np.zeros((1, 1, 41), np.float32)
    values[0, 0, 10], values[0, 0, 30] = 4, 100
    plain = sharpen(values.copy(), (0, 0, 1.0), 1.0)[0, 0]
    found = sharpen(values.copy(), (0, 0, 1.0), 1.0, 10.0)[0, 0]
    assert np.array_equal(found[:20], values[0, 0, :20])
    assert found[30] == pytest.approx(plain[30] - 10)
    assert found[29] == pytest.approx(plain[29] + 10)
    assert found[33] == 0 != plain[33]


def test_thin_fibres_are_sharpened_out_of_a_blur() -> None:
    z, y, x = np.ogrid[:20, :24, :40]
    lines = [np.exp(-((y - 12.0) ** 2 + (x - middle) ** 2) / (2 * 2.0**2)) + 0.0 * z for middle in (17.5, 22.5)]
    image = (200 * np.maximum(*lines)).astype(np.uint8)
    dim = tubeness(image, None, sigma=1.0, contrast=1.0, objects=False)[10, 12, :, 0]
    crisp = tubeness(image, None, sigma=1.0, contrast=1.0, sharpen=4.0, objects=False)[10, 12, :, 0]
    assert crisp[17:19].max() - crisp[20] > 1.5 * (dim[17:19].max() - dim[20]) > 0
