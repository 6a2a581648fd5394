"""Supervoxels for classifiers: the same in every block, described as SciPy does, labelled by vote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from learning.stumps import forest_of
from numpy.typing import NDArray

from teravox.kernels.learning import supervoxel_prediction
from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.features import compute
from teravox.kernels.learning.model import Model
from teravox.kernels.learning.pooling import pool, pooled_names
from teravox.kernels.learning.selection import Feature, Selection, feature_names
from teravox.kernels.learning.slic_tiles import Supervoxels, cut, reach, tile_for
from teravox.kernels.learning.votes import count_votes
from teravox.kernels.segmentation.patches import Box

SHAPE = (26, 30, 33)
WHOLE: Box = ((0, 26), (0, 30), (0, 33))
SCALE = (2.0, 1.0, 1.0)
HOW = Supervoxels(low=0, high=255, tile=(5, 11, 12), size=60, compactness=0.3, iterations=4)
SELECTION = Selection((Feature("gaussian-smoothing", 0.7), Feature("gaussian-gradient-magnitude", 1.0)))
WORKING_MEMORY = 100_000_000


def image() -> NDArray[np.uint8]:
    noise = np.random.default_rng(8).normal(size=SHAPE)
    return np.asarray((scipy.ndimage.gaussian_filter(noise, 2) * 300 + 128).clip(0, 255), np.uint8)


GRAY = image()
MODEL = Model(
    unit="supervoxels",
    classes=make_classes(["dark", "bright"]),
    selection=SELECTION,
    channels=1,
    resolution=SCALE,
    forest=forest_of(4, (0, 128.0), (1, 4.0), (2, 9.0)),
    supervoxels=HOW.to_json(),
)
PREDICTED = supervoxel_prediction.predict(GRAY, MODEL, (0, 0, 0), WHOLE, WORKING_MEMORY)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """A box with something in it."""
    spans = []
    for n in SHAPE:
        start = draw(st.integers(0, n - 1))
        spans.append((start, draw(st.integers(start + 1, n))))
    return spans[0], spans[1], spans[2]


def around(box: Box, margin: tuple[int, ...]) -> tuple[NDArray[np.uint8], tuple[int, int, int], Box]:
    """What a block reads of the volume: its array, where that begins, and where the box lies in it."""
    wide = [
        (max(0, start - wide), min(n, stop + wide)) for (start, stop), wide, n in zip(box, margin, SHAPE, strict=True)
    ]
    z, y, x = ((start - first, stop - first) for (start, stop), (first, _) in zip(box, wide, strict=True))
    array = GRAY[tuple(slice(*span) for span in wide)].copy()
    return array, (wide[0][0], wide[1][0], wide[2][0]), (z, y, x)


def inside(box: Box) -> tuple[slice, slice, slice]:
    z, y, x = (slice(*span) for span in box)
    return z, y, x


@settings(max_examples=25, deadline=None)
@given(boxes())
def test_a_block_predicts_to_the_bit_what_the_whole_volume_does(box: Box) -> None:
    array, corner, kept = around(box, supervoxel_prediction.margin(MODEL))
    found = supervoxel_prediction.predict(array, MODEL, corner, kept, WORKING_MEMORY)
    assert (found[inside(kept)] == PREDICTED[inside(box)]).all()


def test_the_prediction_tells_supervoxels_apart_and_is_one_for_each() -> None:
    assert len(np.unique(PREDICTED[..., 0])) > 2
    assert PREDICTED.sum(axis=3) == pytest.approx(1, abs=1e-6)
    labels = cut(GRAY, HOW, SCALE, (0, 0, 0), WHOLE).labels
    assert len(np.unique(np.stack([labels, PREDICTED[..., 0]]).reshape(2, -1), axis=1).T) == labels.max()


def test_little_memory_changes_nothing() -> None:
    least = supervoxel_prediction.predict(GRAY, MODEL, (0, 0, 0), WHOLE, 150_000)  # for which a plane is cut in several
    assert (least == PREDICTED).all()


def test_nothing_that_is_kept_is_nothing_predicted() -> None:
    nothing: Box = ((3, 3), (0, 30), (0, 33))
    assert not supervoxel_prediction.predict(GRAY, MODEL, (0, 0, 0), nothing, WORKING_MEMORY).any()


@settings(max_examples=25, deadline=None)
@given(boxes())
def test_tiles_lie_at_places_of_the_volume(box: Box) -> None:
    whole = cut(GRAY, HOW, SCALE, (0, 0, 0), WHOLE)
    array, corner, kept = around(box, reach(HOW, SCALE))
    found = cut(array, HOW, SCALE, corner, kept)
    ours = np.stack([found.labels[inside(_inner(kept, found.box))], whole.labels[inside(box)]]).reshape(2, -1)
    pairs = np.unique(ours, axis=1)
    assert len(pairs[0]) == len(set(pairs[0])) == len(set(pairs[1]))
    assert set(found.labels.flat) == set(range(1, found.number + 1))


def _inner(kept: Box, outer: Box) -> Box:
    z, y, x = ((start - first, stop - first) for (start, stop), (first, _) in zip(kept, outer, strict=True))
    return z, y, x


def test_no_supervoxel_crosses_the_border_of_a_tile() -> None:
    labels = cut(GRAY, HOW, SCALE, (3, 0, 0), WHOLE).labels  # the first layer of tiles ends before plane 2
    assert set(labels[:2].flat).isdisjoint(labels[2:].flat)
    assert set(labels[:, :11].flat).isdisjoint(labels[:, 11:].flat)


def test_features_are_pooled_as_scipy_does() -> None:
    found = cut(GRAY, HOW, SCALE, (0, 0, 0), WHOLE)
    features = compute(GRAY, SELECTION, SCALE)
    everything = (slice(None), slice(None), slice(None))
    pooled = pool(found.labels, found.number, 2, [(everything, features)])
    index, places = np.arange(found.number), found.labels.astype(np.int64) - 1
    for number, one in enumerate(features):
        mean = scipy.ndimage.mean(one, places, index)
        deviation = scipy.ndimage.standard_deviation(one, places, index)
        assert pooled[2 * number] == pytest.approx(mean, rel=1e-5)
        assert pooled[2 * number + 1] == pytest.approx(deviation, rel=1e-4, abs=1e-3)
    parts = [((slice(a, b), slice(None), slice(None)), features[:, a:b]) for a, b in ((0, 7), (7, 8), (8, 26))]
    assert (pool(found.labels, found.number, 2, parts) == pooled).all()


def test_pooled_features_are_named_in_their_order() -> None:
    assert pooled_names(feature_names(SELECTION))[:3] == (
        "gaussian-smoothing:0.7, mean",
        "gaussian-smoothing:0.7, sd",
        "gaussian-gradient-magnitude:1, mean",
    )


def test_numbers_that_are_none_are_black() -> None:
    gray = GRAY.astype(np.float32)
    dark = np.where(gray < 100, np.float32(0), gray)
    broken = np.where(gray < 100, np.float32(np.nan), gray)
    assert (cut(broken, HOW, SCALE, (0, 0, 0), WHOLE).labels == cut(dark, HOW, SCALE, (0, 0, 0), WHOLE).labels).all()


def test_the_labelled_voxels_of_a_supervoxel_vote() -> None:
    supervoxels = np.array([[[1, 1, 1, 2, 2, 3, 4, 4]]], np.uint32)
    labels = np.array([[[2, 2, 1, 0, 0, 3, 3, 1]]], np.uint8)
    votes = count_votes(supervoxels, 4, labels, 3)
    assert votes.places.tolist() == [0, 2, 3]
    assert votes.classes.tolist() == [1, 2, 0]  # of a draw the first class
    assert votes.voxels.tolist() == [3, 1, 2]
    assert votes.overruled.tolist() == [1, 0, 1]
    assert not len(count_votes(supervoxels, 4, np.zeros_like(labels), 3).places)


def test_tiles_hold_some_hundred_supervoxels_and_are_as_long_along_each_axis() -> None:
    assert tile_for(1000, (1, 1, 1)) == (50, 50, 50)
    z, y, x = tile_for(1000, (50, 4, 4))
    assert y == x
    assert 50 * z == pytest.approx(4 * y, rel=0.15)
    assert 50 < z * y * x / 1000 < 200


def test_supervoxels_come_back_from_json() -> None:
    assert Supervoxels.from_json(HOW.to_json()) == HOW


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 0}, "size of the supervoxels is 0"),
        ({"size": 2.5}, "size of the supervoxels is 2.5"),
        ({"iterations": True}, "iterations of the supervoxels is True"),
        ({"sigma": -1}, "sigma of the supervoxels is -1"),
        ({"sigma": float("nan")}, "sigma of the supervoxels is nan"),
        ({"compactness": 0.0}, "compactness of the supervoxels is 0"),
        ({"compactness": float("nan")}, "compactness of the supervoxels is nan"),
        ({"low": 255.0}, "low must be below high"),
        ({"high": float("inf")}, "low must be below high"),
        ({"tile": [5, 11]}, "not three whole numbers"),
        ({"tile": [5, 11, 0]}, "three sides from 1"),
        ({"tile": [5, 11, 1 << 40]}, "three sides from 1"),
        ({"more": 1}, "supervoxels are told by"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Supervoxels.from_json(HOW.to_json() | changes)


def test_other_supervoxels_are_another_prediction() -> None:
    other = replace(MODEL, supervoxels=replace(HOW, size=300).to_json())
    found = supervoxel_prediction.predict(GRAY, other, (0, 0, 0), WHOLE, WORKING_MEMORY)
    assert (found != PREDICTED).any()
