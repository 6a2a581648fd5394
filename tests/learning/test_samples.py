"""What is learnt from: which voxels, with which features, wherever chunks and cells end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from learning.scenes import LOW, Scene, draw_scene
from learning.some_models import QUICK, draw_model

from teravox.kernels.learning.features import compute, memory
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning import samples as module
from teravox.pipeline.learning.chosen import choose
from teravox.pipeline.learning.fit import refuse_misfit
from teravox.pipeline.learning.labels import open_labels
from teravox.pipeline.learning.samples import Samples, gather
from teravox.pipeline.learning.training import gather_samples


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return draw_scene(tmp_path_factory.mktemp("scene"))


def sorted_rows(samples: Samples) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rows = np.concatenate([samples.coordinates, samples.labels[:, np.newaxis], samples.features.T], axis=1)
    return rows[np.lexsort(rows[:, :3].T)]


def test_samples_are_the_labelled_voxels_with_the_features_of_the_whole_image(scene: Scene) -> None:
    image, labels = Layer.open(scene.image), open_labels(scene.labels)
    found = gather(image, 0, labels, QUICK, at_most=None)
    gray = image.read(image.bounds(0), 0)[..., 0].T
    whole = compute(gray, QUICK, (8.0, 8.0, 8.0))
    x, y, z = (found.coordinates - LOW).T
    assert np.array_equal(found.features, whole[:, z, y, x])
    assert np.array_equal(found.labels + 1, scene.truth[x, y, z])
    sparse = labels.read(labels.bounds)
    assert len(found.labels) == np.count_nonzero(sparse)
    assert len(np.unique(found.coordinates, axis=0)) == len(found.labels)
    assert list(found.labelled) == np.bincount(sparse.reshape(-1))[1:].tolist()


def test_cells_and_memory_change_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    image, labels = Layer.open(scene.image), open_labels(scene.labels)
    whole = gather(image, 0, labels, QUICK, at_most=None)
    seen: list[int] = []
    monkeypatch.setattr(module, "CELL", 11)
    found = gather(image, 0, labels, QUICK, at_most=None, progress=seen.append)
    assert np.array_equal(sorted_rows(found), sorted_rows(whole))
    assert sum(seen) == len(found.labels)
    assert len(seen) > 5
    monkeypatch.setattr(module, "CELL", 96)
    gray = np.empty((24, 48, 32), np.uint8)
    monkeypatch.setattr(module, "WORKING_MEMORY", memory(gray, QUICK, (8.0, 8.0, 8.0), ((8, 12), (0, 48), (0, 32))))
    found = gather(image, 0, labels, QUICK, at_most=None)
    assert np.array_equal(sorted_rows(found), sorted_rows(whole))


def test_of_each_class_no_more_are_taken_and_the_same_ones_whatever_the_chunks(scene: Scene, tmp_path: Path) -> None:
    labels = open_labels(scene.labels)
    few = choose(labels, labels.bounds, 20, 3)
    assert np.bincount(few.classes).tolist() == [0, 20, 20]
    everything = choose(labels, labels.bounds, None, 3)
    assert few.labelled == everything.labelled
    assert {*map(tuple, few.places.tolist())} <= {*map(tuple, everything.places.tolist())}

    copy = labels.layer.read(labels.bounds, 0, fill_missing=True)
    other = open_labels(
        make_layer(tmp_path / "l", copy, type="segmentation", offset=LOW, chunk=(7, 9, 5), resolution=(8, 8, 8))
    )
    again = choose(other, labels.bounds, 20, 3)
    assert sorted(map(tuple, again.places.tolist())) == sorted(map(tuple, few.places.tolist()))
    third = choose(labels, labels.bounds, 20, 4)
    assert sorted(map(tuple, third.places.tolist())) != sorted(map(tuple, few.places.tolist()))


def test_only_the_surroundings_of_labels_are_read(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Box] = []
    whole = Layer.read

    def watched(layer: Layer, box: Box, *given: object, **said: object) -> object:
        if layer.url.endswith("/em"):
            read.append(box)
        return whole(layer, box, *given, **said)  # type: ignore[arg-type]  # whatever it is given

    monkeypatch.setattr(Layer, "read", watched)
    gather(Layer.open(scene.image), 0, open_labels(scene.labels), QUICK, box=Box((5, 0, 10), (9, 5, 20)))
    assert read
    for box in read:
        assert all(low >= a - 8 for low, a in zip(box.min, (5, 0, 10), strict=True))
        assert all(high <= b + 8 for high, b in zip(box.max, (9, 5, 20), strict=True))


def test_what_cannot_be_learnt_from_is_told(scene: Scene) -> None:
    image, labels = Layer.open(scene.image), open_labels(scene.labels)
    with pytest.raises(BadUsage, match=r"--bounds: .* lies outside"):
        gather(image, 0, labels, QUICK, box=Box((500, 0, 0), (501, 1, 1)))
    with pytest.raises(BadInput, match="has no label in"):
        gather(image, 0, labels, QUICK, box=Box((50, 0, 10), (60, 9, 20)))
    with pytest.raises(BadInput, match=r"has (\d|no) labelled voxels of the class membrane, and at least 5"):
        gather_samples(image, 0, labels, QUICK, box=Box((3, -5, 7), (9, 2, 12)))


def test_a_model_for_other_images_is_refused(scene: Scene) -> None:
    image = Layer.open(scene.image)
    fitting = draw_model(resolution=(8.0, 8.0, 8.0))
    refuse_misfit(fitting, image, 0, "--model")
    refuse_misfit(draw_model(), image, 0, "--model")
    with pytest.raises(BadUsage, match=r"--model: .* voxels of 4,8,8 nm, and those of .* have 8,8,8 nm: learn a model"):
        refuse_misfit(replace(fitting, resolution=(8.0, 8.0, 4.0)), image, 0, "--model")
    with pytest.raises(BadUsage, match=r"learnt on 2 channels, and .* has 1"):
        refuse_misfit(draw_model(channels=2), image, 0, "--model")
