"""`teravox learn import`: projects of ilastik become models and layers of labels."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from cli.running import Run
from layers.make import make_layer, read_layer
from learning.ilastik_files import Split, leaf, write_project
from numpy.typing import NDArray

from teravox.kernels.learning.features import compute
from teravox.kernels.learning.ilastik.model import model_of_project
from teravox.kernels.learning.model import model_to_bytes, read_model
from teravox.pipeline.learning.ilastik import samples
from teravox.pipeline.learning.ilastik.project_file import ProjectFile
from teravox.pipeline.learning.ilastik.samples import gather_own
from teravox.pipeline.learning.labels import open_labels
from teravox.pipeline.learning.wish import Wish

SIZE = (20, 24, 28)  # of z, y and x
CORNER = (7, 9, 11)  # of x, y and z, where the layer begins
CHOSEN = (("GaussianSmoothing", 0.7), ("GaussianGradientMagnitude", 1.0))
STUMP = Split(0, 100.0, leaf(1, 0), leaf(0, 1))


def gray() -> NDArray[np.uint8]:
    """A bright ball in noise, as z, y and x."""
    random = np.random.default_rng(3)
    places = np.indices(SIZE).reshape(3, -1).T - np.array(SIZE) / 2
    ball = (np.linalg.norm(places, axis=1) < 7).reshape(SIZE)
    voxels: NDArray[np.uint8] = (60 + 110 * ball + random.integers(0, 40, SIZE)).astype(np.uint8)
    return voxels


def strokes() -> list[tuple[tuple[int, ...], NDArray[np.uint8]]]:
    """Two blocks of labels, in the order z, y, x and channel: some voxels of the ball, and some beside it."""
    inside, beside = np.zeros((1, 6, 8, 1), np.uint8), np.zeros((3, 4, 28, 1), np.uint8)
    inside[0, 1:5, 2:6] = 1
    beside[1, 1, 3:25] = 2
    return [((10, 9, 10, 0), inside), ((1, 2, 0, 0), beside)]


def whole() -> NDArray[np.uint8]:
    """The labels of the whole image, as z, y and x."""
    labels = np.zeros(SIZE, np.uint8)
    for corner, block in strokes():
        part = tuple(slice(a, a + n) for a, n in zip(corner[:3], block.shape[:3], strict=True))
        labels[part] = block[..., 0]
    return labels


def painted(folder: Path) -> NDArray[np.uint8]:
    """A layer of labels as z, y and x, read by CloudVolume."""
    from cloudvolume import CloudVolume

    volume = CloudVolume(f"file://{folder}", fill_missing=True, progress=False)
    voxels: NDArray[np.uint8] = np.asarray(volume[:, :, :]).T[0]
    return voxels


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_layer(tmp_path / "em", gray().T[..., np.newaxis], offset=CORNER)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(
        tmp_path / "a.ilp", trees=[STUMP], columns=2, chosen=CHOSEN, shape=SIZE, labels=strokes(), inside=gray()
    )


def test_the_forest_of_a_project_becomes_a_model(project: Path, tmp_path: Path, run: Run) -> None:
    output = tmp_path / "a.model"
    ran = run("learn", "import", str(project), "-o", str(output))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "The forest of the project has 1 trees."
    assert output.read_bytes() == model_to_bytes(model_of_project(project.read_bytes(), "a.ilp"))


def test_labels_become_a_layer_and_stay_what_they_are(project: Path, layer: str, tmp_path: Path, run: Run) -> None:
    words = ("learn", "import", str(project), "--labels", str(tmp_path / "labels"), "--image", layer)
    for _ in range(2):
        assert "38 labelled voxels are in" in run(*words).out
        np.testing.assert_array_equal(painted(tmp_path / "labels"), whole())
    labels = open_labels(str(tmp_path / "labels"))
    assert [one.name for one in labels.classes] == ["cell", "rest"]
    assert (labels.bounds.min, labels.bounds.size) == (CORNER, SIZE[::-1])


def test_labels_join_those_that_are_there(project: Path, layer: str, tmp_path: Path, run: Run) -> None:
    other = np.full((1, 1, 4, 1), 2, np.uint8)
    first = write_project(tmp_path / "b.ilp", shape=SIZE, labels=[((10, 10, 10, 0), other)])
    for one in (first, project):
        assert run("learn", "import", str(one), "--labels", str(tmp_path / "labels"), "--image", layer).code == 0
    wanted = whole()
    wanted[10, 10, 10:12] = 2  # where the project has no label
    np.testing.assert_array_equal(painted(tmp_path / "labels"), wanted)


def test_a_model_is_the_same_from_an_image_inside_beside_and_in_a_layer(layer: str, tmp_path: Path, run: Run) -> None:
    pytest.importorskip("lightgbm", reason="the extra `learn` is not installed")
    np.save(tmp_path / "raw.npy", gray())
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["volumes/raw"] = gray().transpose(1, 0, 2)
    turned = [((y, z, x, c), block.transpose(1, 0, 2, 3)) for (z, y, x, c), block in strokes()]
    write_project(tmp_path / "inside.ilp", shape=SIZE, inside=gray(), chosen=CHOSEN, labels=strokes())
    write_project(tmp_path / "beside.ilp", shape=(*SIZE, 1), axes="zyxc", chosen=CHOSEN, labels=strokes())
    write_project(tmp_path / "in-layer.ilp", shape=SIZE, data="/elsewhere/raw.npy", chosen=CHOSEN, labels=strokes())
    write_project(
        tmp_path / "hdf5.ilp",
        shape=(24, 20, 28),
        axes="yzx",
        data="raw.h5/volumes/raw",
        chosen=CHOSEN,
        labels=turned,
    )
    found = []
    for name in ("inside", "beside", "in-layer", "hdf5"):
        image = ("--image", layer) if name == "in-layer" else ()
        ran = run("learn", "import", str(tmp_path / f"{name}.ilp"), "-o", str(tmp_path / f"{name}.model"), *image)
        assert (ran.code, "keeps no classifier: one is trained" in ran.out) == (0, True)
        found.append(read_model(tmp_path / f"{name}.model").forest)
    forest = found[0]
    assert found[:3] == [forest] * 3
    model = read_model(tmp_path / "inside.model")
    assert model.record["voxels"] == [16, 22]
    features = compute(gray(), model.selection, model.scale)
    places = [np.argwhere(block[..., 0]) + corner[:3] for corner, block in strokes()]
    z, y, x = np.concatenate(places).T
    assert forest == Wish().train(features[:, z, y, x], whole()[z, y, x].astype(np.int64) - 1, 2)
    features = features.reshape(2, -1)
    for each in (forest, found[3]):  # the samples of another order may make other trees
        told = each.predict(features).argmax(1).reshape(SIZE)
        np.testing.assert_array_equal(told[whole() > 0], whole()[whole() > 0] - 1)


def test_segment_predicts_by_a_project_as_by_its_model(project: Path, layer: str, tmp_path: Path, run: Run) -> None:
    assert run("learn", "import", str(project), "-o", str(tmp_path / "a.model")).code == 0
    found = []
    for name in ("a.ilp", "a.model"):
        dest, how = str(tmp_path / f"of-{name}"), ("--output", "probabilities", "--data-type", "float32")
        ran = run("segment", layer, dest, "--predict", str(tmp_path / name), *how, "--shape", "16,16,24")
        assert ran.code == 0, ran.err
        found.append(read_layer(dest, 0))
    model = model_of_project(project.read_bytes(), "a.ilp")
    features = compute(gray(), model.selection, model.scale).reshape(2, -1)
    wanted = model.forest.predict(features).reshape(*SIZE, 2).transpose(2, 1, 0, 3)
    for each in found:
        np.testing.assert_array_equal(each, wanted)


def test_of_many_labels_some_are_learnt_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = np.ones((*SIZE, 1), np.uint8)
    many[10:, :, :14] = 2
    path = write_project(tmp_path / "a.ilp", chosen=CHOSEN, shape=SIZE, labels=[((0, 0, 0, 0), many)], inside=gray())
    file = ProjectFile(str(path))
    done: list[int] = []
    every = gather_own(file, file.read(), [0], None, 0, done.append)
    monkeypatch.setattr(samples, "AT_MOST", 500)
    some, again, others = (gather_own(file, file.read(), [0], None, seed, done.append) for seed in (0, 0, 1))
    assert sum(done) == 4 * many.size
    assert np.bincount(every.classes).tolist() == [np.sum(many == one) for one in (1, 2)]
    np.testing.assert_allclose(np.bincount(some.classes), 500, atol=70)  # three standard deviations
    np.testing.assert_array_equal(some.features, again.features)
    assert others.features.shape != some.features.shape or (others.features != some.features).any()
    assert {*map(tuple, some.features.T)} <= {*map(tuple, every.features.T)}


def test_it_says_what_is_in_a_project(project: Path, run: Run) -> None:
    said = run("learn", "import", str(project)).out
    assert "a project of ilastik 1.4.1b15" in said
    assert "cell, rest" in said
    assert "zyx of 20x24x28, in the project; 38 labelled voxels" in said
    facts = json.loads(run("learn", "import", str(project), "--json").out)
    assert (facts["trees"], facts["images"][0]["labelled voxels"]) == (1, 38)
    assert facts["features"] == ["gaussian-smoothing:0.7", "gaussian-gradient-magnitude:1"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.ilp"], "cannot read .*nothing.ilp: No such file"),
        (["a.ilp", "-o", "a.txt"], "--output: .* does not end with .model"),
        (["a.ilp", "-o", "nowhere/a.model"], "--output: .* lies in .*nowhere, which is no folder"),
        (["a.ilp", "--labels", "labels"], "--labels: needs --image"),
        (["a.ilp", "--image", "em"], "--image: means nothing without"),
        (["a.ilp", "--mip", "1"], "--mip: is the level of --image"),
        (["a.ilp", "--retrain"], "--retrain: needs --output"),
        (["a.ilp", "--lane", "1"], "--lane: .* has 1 images"),
        (["a.ilp", "--labels", "labels", "--image", "small"], "28x24x20 voxels, and mip 0 .* 5x5x5"),
        (["empty.ilp", "-o", "a.model"], "no labels to learn from"),
        (["empty.ilp", "--labels", "labels", "--image", "em"], "has no labels"),
        (["far.ilp", "-o", "a.model"], "its image is at /elsewhere/raw.npy; it is only looked for"),
        (["wrong.ilp", "-o", "a.model"], "its workflow is Counting"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_written(
    words: list[str], said: str, project: Path, layer: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert project.is_file()
    assert Path(layer).is_dir()
    make_layer(tmp_path / "small", np.zeros((5, 5, 5, 1), np.uint8))
    write_project(tmp_path / "empty.ilp", shape=SIZE)
    write_project(tmp_path / "far.ilp", shape=SIZE, labels=strokes(), data="/elsewhere/raw.npy")
    write_project(tmp_path / "wrong.ilp", workflow="Counting")
    before = sorted(path.name for path in tmp_path.iterdir())
    ran = run("learn", "import", *words)
    assert ran.code in (1, 2)
    assert re.search(said, " ".join(ran.err.split())), ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_images_with_labels_are_told_apart_by_lane(project: Path, layer: str, tmp_path: Path, run: Run) -> None:
    with h5py.File(project, "a") as file:
        infos, sets = file["Input Data/infos"], file["PixelClassification/LabelSets"]
        file.copy(infos["lane0000"], infos, "lane0001")
        file.copy(sets["labels000"], sets, "labels001")
    words = ("learn", "import", str(project), "--labels", str(tmp_path / "labels"), "--image", layer)
    refused = run(*words)
    assert (refused.code, "--lane: images 0, 1" in refused.err) == (2, True)
    assert run(*words, "--lane", "1").code == 0
    np.testing.assert_array_equal(painted(tmp_path / "labels"), whole())


def test_labels_of_later_times_have_no_place_in_a_layer(layer: str, tmp_path: Path, run: Run) -> None:
    block = np.ones((1, 1, 2, 2, 1), np.uint8)
    path = write_project(tmp_path / "t.ilp", axes="tzyx", shape=(3, *SIZE), labels=[((1, 4, 4, 4, 0), block)])
    ran = run("learn", "import", str(path), "--labels", str(tmp_path / "labels"), "--image", layer)
    assert "has labels at time 1" in ran.err
    assert not (tmp_path / "labels").exists()
