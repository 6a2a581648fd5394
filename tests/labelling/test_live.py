"""Live update: it predicts what a classifier of all labels would, newest wishes first, and says what it cannot do."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from labelling.conftest import CLASSES, SELECTION, Begin
from labelling.hearing import PATIENCE, hearing
from labelling.slices import TILES, predicted, slice_of
from layers.make import Array

from teravox.kernels.learning.features import compute
from teravox.kernels.learning.model import read_model
from teravox.kernels.learning.uncertainty import uncertainty
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.labelling.feature_tiles import FeatureTiles
from teravox.pipeline.labelling.planes import PLANES, PlaneName, Tile
from teravox.pipeline.labelling.session import LabelSession
from teravox.pipeline.labelling.strokes import Stroke
from teravox.pipeline.labelling.training_set import _choose
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import open_labels
from teravox.pipeline.learning.training import train_model


def paint_both(session: LabelSession, at: int = 40) -> None:
    """A stroke of stripes and one of the plain half, in other planes."""
    session.paint(Stroke("xy", at, 1, tuple((y, 15, 30) for y in range(30, 50))))
    session.paint(Stroke("xz", 50, 2, tuple((z, 70, 95) for z in range(34, 44))))


def by_hand(image: Layer, session: LabelSession) -> tuple[Array, Array]:
    """Classes and uncertainty of the whole image, as z, y and x, by the model that `learn train` makes of all labels."""
    gray = np.ascontiguousarray(image.read(image.bounds(0), 0)[..., 0].T)
    features = compute(gray, SELECTION, (20.0, 8.0, 8.0))
    model = train_model(image, 0, open_labels(session.labels.url), SELECTION)
    found = model.forest.predict(np.ascontiguousarray(features.reshape(len(features), -1)))
    classes = found.argmax(axis=1).reshape(gray.shape) + 1
    return classes, np.rint(uncertainty(found) * np.float32(255)).reshape(gray.shape)


def test_it_predicts_what_a_classifier_of_all_labels_would(begin: Begin, image: Layer) -> None:
    session = begin()
    with hearing(session) as ear:
        session.live.want(TILES, is_on=True)
        paint_both(session)
        assert ear.until("learned")["samples"] == 20 * 15 + 25 * 10
        for tile in TILES:
            assert ear.until("predicted")["tile"] == "/".join(map(str, tile))
        classes, unsure = by_hand(image, session)
        for tile in TILES:
            found = predicted(session, tile, image)
            assert np.array_equal(found[1], slice_of(unsure, tile, image))
            assert np.array_equal(found[0], slice_of(classes, tile, image))
        assert (classes[:, :, :40] == 1).mean() > 0.9
        assert (classes[:, :, 56:] == 2).mean() > 0.9


def test_after_another_stroke_only_its_features_are_computed(
    begin: Begin, image: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin()
    with hearing(session) as ear:
        session.live.want(TILES, is_on=True)
        paint_both(session)
        for _ in TILES:
            ear.until("predicted")
        computed: list[Tile] = []
        inner = FeatureTiles._compute

        def compute_and_note(tiles: FeatureTiles, tile: Tile) -> Array:
            computed.append(tile)
            return inner(tiles, tile)

        monkeypatch.setattr(FeatureTiles, "_compute", compute_and_note)
        session.paint(Stroke("xy", 42, 2, ((48, 80, 90),)))  # in a chunk with labels
        for _ in TILES:
            assert ear.until("predicted")["version"] == 2
        assert computed == [Tile("xy", 0, 42, 0, 0)]
        classes, _ = by_hand(image, session)
        assert np.array_equal(predicted(session, TILES[0], image)[0], slice_of(classes, TILES[0], image))


def test_what_is_seen_now_is_predicted_and_not_what_was_seen_before(begin: Begin) -> None:
    session = begin()
    with hearing(session) as ear:
        paint_both(session)
        far = [Tile("xy", 0, at, 0, 0) for at in range(30, 54)]
        may_go_on = threading.Event()

        def wait() -> None:
            may_go_on.wait(PATIENCE)

        session.live.run(wait)
        session.live.want(far, is_on=True)
        session.live.want(TILES[2:], is_on=True)
        may_go_on.set()
        assert ear.until("predicted")["tile"] == "yz/0/70/0/0"
        assert not any(session.live.predicted(tile) for tile in far)


def test_one_class_is_not_enough_and_undo_forgets_what_was_learnt(begin: Begin) -> None:
    session = begin()
    with hearing(session) as ear:
        session.live.want(TILES[:1], is_on=True)
        session.paint(Stroke("xy", 40, 1, ((30, 15, 30),)))
        assert "two classes" in ear.until("waiting")["text"]
        session.paint(Stroke("xy", 40, 2, ((30, 70, 95),)))
        ear.until("predicted")
        session.undo()
        ear.until("waiting")
        assert session.live.learned is None
        assert session.live.predicted(TILES[0]) is None


def test_labels_of_an_earlier_session_are_learnt_from(begin: Begin) -> None:
    earlier = begin()
    paint_both(earlier)
    earlier.close()
    session = begin()
    with hearing(session) as ear:
        session.live.want(TILES[:1], is_on=True)
        assert ear.until("learned")["samples"] == 550


def test_of_very_many_labels_a_part_is_learnt_from_and_most_of_it_stays_when_some_are_added() -> None:
    random = np.random.default_rng(0)
    places = np.unique(random.integers(0, 500, (2000, 3)), axis=0)
    labels = random.integers(1, 3, len(places)).astype(np.uint8)
    all_of_it = set(_choose(labels, places, 200).tolist())
    assert [sum(labels[at] == label for at in all_of_it) for label in (1, 2)] == [200, 200]
    before = set(_choose(labels[:1600], places[:1600], 200).tolist())
    assert len(all_of_it & before) > 250
    assert np.array_equal(_choose(labels, places, len(labels)), np.arange(len(labels)))


def test_without_live_update_nothing_is_learnt(begin: Begin) -> None:
    session = begin()
    with hearing(session) as ear:
        session.live.want(TILES, is_on=False)
        paint_both(session)
        session.suggest("z")  # which is done after whatever was to be done before
        ear.until("suggestion")
        assert session.live.learned is None


def test_what_is_not_installed_is_said_and_labelling_goes_on(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_missing() -> None:
        raise BadUsage("pip install 'teravox[learn]'")

    monkeypatch.setattr("teravox.pipeline.labelling.live.require_training", is_missing)
    session = begin()
    with hearing(session) as ear:
        session.live.want(TILES, is_on=True)
        assert ear.until("needs")["text"] == "pip install 'teravox[learn]'"
        paint_both(session)
        assert session.painting.can_undo


def test_what_fails_is_said_and_the_next_stroke_tries_again(
    begin: Begin, image: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin()
    with hearing(session) as ear:
        with monkeypatch.context() as patched:

            def fail(*_: object) -> None:
                raise BadInput(f"{image.url} is gone")

            patched.setattr(FeatureTiles, "_compute", fail)
            session.live.want(TILES[:1], is_on=True)
            paint_both(session)
            while (said := ear.heard.get(timeout=PATIENCE))["about"] != "error":
                pass
            assert said["text"] == f"{image.url} is gone"
        session.paint(Stroke("xy", 42, 2, ((60, 80, 90),)))
        ear.until("predicted")


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_slice_is_suggested_along_an_axis_with_its_reason(begin: Begin, image: Layer, axis: str) -> None:
    session = begin()
    bounds, number = image.bounds(0), "xyz".index(axis)
    with hearing(session) as ear:
        session.live.want(TILES[:1], is_on=True)
        paint_both(session)
        ear.until("predicted")
        seen = set()
        for count in (1, 2):
            session.suggest(axis)  # type: ignore[arg-type]  # it is one of the axes
            said = ear.until("suggestion")
            assert said["axis"] == axis
            assert f"mean uncertainty {said['mean']:.2f}. Suggestion {count} of" in said["text"]
            assert said["place"][number] == said["position"]
            assert all(a <= n < b for a, n, b in zip(bounds.min, said["place"], bounds.max, strict=True))
            seen.add(said["position"])
        assert len(seen) == 2


def test_the_model_that_is_saved_tells_the_classes_apart(begin: Begin, image: Layer, tmp_path: Path) -> None:
    output = tmp_path / "cells.model"
    session = begin(model=output)
    with hearing(session) as ear:
        paint_both(session)
        session.save_model()
        said = ear.until("saved")["text"]
    assert said == f"The model is in {output}. Predict with: teravox learn predict {image.url} DEST --model {output}"
    model = read_model(output)
    assert (model.classes, model.selection, model.resolution) == (CLASSES, SELECTION, (20.0, 8.0, 8.0))
    assert model.record["labelled"] == {"stripes": 300, "plain": 250}


def test_no_model_is_saved_where_nobody_said_where_to(begin: Begin) -> None:
    with pytest.raises(BadInput, match="without --model-output"):
        begin().save_model()


@pytest.mark.parametrize("name", sorted(PLANES))
def test_tiles_of_large_images_have_the_features_of_the_whole(begin: Begin, image: Layer, name: PlaneName) -> None:
    session = begin()
    tile = next(tile for tile in TILES if tile.plane == name)
    gray = np.ascontiguousarray(image.read(image.bounds(0), 0)[..., 0].T)
    whole = compute(gray, SELECTION, (20.0, 8.0, 8.0))
    expected = np.stack([slice_of(one, tile, image).reshape(-1) for one in whole])
    assert np.array_equal(session.live._sight.see(tile).features, expected)
