"""Whole supervoxels: a click labels the one that the whole volume has there, and live update tells them apart."""

from __future__ import annotations

import numpy as np
import pytest
from labelling.conftest import SELECTION, Begin
from labelling.hearing import hearing
from labelling.serving import serving
from labelling.slices import TILES, predicted, slice_of
from layers.make import Array

from teravox.kernels.learning import slic_tiles, supervoxel_prediction
from teravox.kernels.learning.slic_tiles import Supervoxels
from teravox.kernels.learning.uncertainty import uncertainty
from teravox.pipeline.labelling.session import LabelSession
from teravox.pipeline.labelling.strokes import Stroke
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import open_labels
from teravox.pipeline.learning.training import train_model

HOW = Supervoxels(low=70, high=220, tile=(10, 25, 25), size=120)
RESOLUTION = (20.0, 8.0, 8.0)


@pytest.fixture(scope="module")
def gray(image: Layer) -> Array:
    return np.ascontiguousarray(image.read(image.bounds(0), 0)[..., 0].T)


@pytest.fixture(scope="module")
def supervoxels(image: Layer, gray: Array) -> Array:
    """Those of the whole volume, as z, y and x."""
    (x, y, z), (depth, height, width) = image.bounds(0).min, gray.shape
    found = slic_tiles.cut(gray, HOW, RESOLUTION, (z, y, x), ((0, depth), (0, height), (0, width)))
    assert found.labels.shape == gray.shape
    return found.labels


def paint_some(session: LabelSession) -> None:
    for x, label in ((15, 1), (30, 1), (45, 1), (70, 2), (85, 2), (100, 2)):
        session.paint(Stroke("xy", 40, label, ((40, x, x + 6), (60, x, x + 6))))


def test_a_click_labels_the_whole_supervoxel_and_undo_takes_it_back(
    begin: Begin, image: Layer, supervoxels: Array
) -> None:
    session = begin(supervoxels=HOW)
    bounds = image.bounds(0)
    assert session.paint(Stroke("xz", 41, 2, ((47, 51, 52),))).changed > 20
    at = tuple(n - low for n, low in zip((47, 41, 51), reversed(bounds.min), strict=True))
    expected = supervoxels == supervoxels[at]
    assert np.array_equal(open_labels(session.labels.url).read(bounds), expected * 2)
    session.undo()
    assert not open_labels(session.labels.url).read(bounds).any()


def test_a_stroke_labels_all_that_it_touches(begin: Begin, image: Layer, supervoxels: Array) -> None:
    session = begin(supervoxels=HOW)
    session.paint(Stroke("yz", 60, 1, tuple((y, 30, 54) for y in range(22, 80))))
    touched = np.unique(supervoxels[:, 2:60, 50])
    assert np.array_equal(session.labels.read(image.bounds(0)) == 1, np.isin(supervoxels, touched))


def test_outlines_are_where_supervoxels_meet(begin: Begin, image: Layer, supervoxels: Array) -> None:
    with serving(begin(supervoxels=HOW)) as asked:
        assert asked.get("state/").json["supervoxels"] is True
        for tile in TILES:
            rows = slice_of(supervoxels, tile, image)
            drawn = np.frombuffer(asked.get("tile/outlines/" + "/".join(map(str, tile))).body, np.uint8)
            padded = np.pad(rows, ((0, 1), (0, 1)), mode="edge")
            expected = (padded[:-1, 1:] != rows) | (padded[1:, :-1] != rows)
            assert np.array_equal(drawn.reshape(rows.shape), expected)
        assert asked.get("tile/outlines/xy/1/40/0/0").text == "there are no tiles of outlines"


def test_live_update_predicts_what_a_model_of_all_labels_would(begin: Begin, image: Layer, gray: Array) -> None:
    session = begin(supervoxels=HOW)
    with hearing(session) as ear:
        session.live.want(TILES, is_on=True)
        paint_some(session)
        for _ in TILES:
            ear.until("predicted")
        model = train_model(image, 0, session.labels, SELECTION, supervoxels=HOW)
        (x, y, z), (depth, height, width) = image.bounds(0).min, gray.shape
        kept = ((0, depth), (0, height), (0, width))
        found = supervoxel_prediction.predict(gray, model, (z, y, x), kept, 10**8)
        for tile in TILES:
            classes, unsure = predicted(session, tile, image)
            assert np.array_equal(classes, slice_of(found.argmax(axis=-1) + 1, tile, image))
            expected = np.rint(uncertainty(found) * np.float32(255))
            assert np.array_equal(unsure, slice_of(expected, tile, image))


def test_labels_that_are_taken_away_are_not_learnt_from(begin: Begin) -> None:
    session = begin(supervoxels=HOW)
    with hearing(session) as ear:
        session.live.want(TILES[:1], is_on=True)
        paint_some(session)
        ear.until("predicted")
        for _ in range(3):
            session.undo()
        assert "two classes" in ear.until("waiting")["text"]
