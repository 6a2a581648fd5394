"""`teravox learn train`, `predict` and `evaluate`, from labels to classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.running import Run
from layers.make import make_layer, read_layer
from learning.scenes import LOW, Scene, draw_scene
from learning.some_models import draw_model
from sklearn.metrics import (  # type: ignore[import-untyped]  # it has no types
    average_precision_score,
    confusion_matrix,
    f1_score,
    roc_auc_score,
)

from teravox.cli.commands.learn.evaluate import Evaluate
from teravox.kernels.learning.model import read_model, write_model
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning import held_back
from teravox.pipeline.learning.labels import open_labels
from teravox.pipeline.learning.wish import Wish

QUICK = ("--filters", "gaussian-smoothing,hessian-of-gaussian-eigenvalues", "--sigmas", "0.7,1.6", "--trees", "20")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return draw_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def model(scene: Scene) -> str:
    """The path of a model of the scene."""
    from teravox.cli.main import main

    path = str(Path(scene.image).parent / "scene.model")
    assert main(["learn", "train", scene.image, scene.labels, "-o", path, "--quiet", *QUICK]) == 0
    return path


def test_a_model_of_few_labels_tells_membranes_where_it_has_seen_none(run: Run, scene: Scene, model: str) -> None:
    ran = run(
        "learn", "predict", scene.image, "p", "--model", model, "--output", "probabilities", "--shape", "32,32,32"
    )
    assert ran.code == 0
    assert "4 tasks done" in ran.out
    found = read_layer("p", 0)
    half = found.shape[0] // 2 + 4
    truth = scene.truth[half:] == 1
    assert roc_auc_score(truth.reshape(-1), found[half:, ..., 0].reshape(-1)) > 0.93

    assert run("learn", "predict", scene.image, "c", "--model", model).code == 0
    classes = read_layer("c", 0)[..., 0]
    assert set(np.unique(classes)) == {1, 2}
    sure = np.abs(found[..., 0].astype(int) - found[..., 1]) > 2  # of those rounded to the same nobody can tell
    assert np.array_equal(classes[sure], found.argmax(axis=3)[sure] + 1)


def test_training_says_what_it_has_learnt_and_writes_the_same_bytes_again(run: Run, scene: Scene, model: str) -> None:
    ran = run("learn", "train", scene.image, scene.labels, "-o", "a.model", *QUICK)
    assert ran.code == 0
    labels = open_labels(scene.labels)
    counts = np.bincount(labels.read(labels.bounds).reshape(-1))
    assert [line.split()[:2] for line in ran.out.splitlines()[:2]] == [
        ["membrane", f"{counts[1]:,}"],
        ["inside", f"{counts[2]:,}"],
    ]
    assert "% are told right (membrane" in ran.out
    assert Path("a.model").read_bytes() == Path(model).read_bytes()
    found = read_model("a.model")
    assert found.names == ("membrane", "inside")
    assert found.resolution == (8.0, 8.0, 8.0)
    assert found.record["held back"]["accuracy"] > 0.8


def test_the_record_is_printed_for_machines_and_options_reach_the_model(run: Run, scene: Scene) -> None:
    Path("features.txt").write_text("gaussian-smoothing:0.7,1.6:flat  # of slices\n\nlaplacian-of-gaussian:1\n")
    ran = run(
        "learn", "train", scene.image, scene.labels, "-o", "a.model", "--features", "features.txt", "--json",
        "--method", "forest", "--trees", "3", "--leaves", "5", "--at-most", "30", "--seed", "9",
    )  # fmt: skip
    assert ran.code == 0
    record = json.loads(ran.out)
    assert (record["method"], record["trees"], record["samples"], record["seed"]) == ("forest", 3, 60, 9)
    found = read_model("a.model")
    assert [str(one) for one in found.selection] == [
        "gaussian-smoothing:0.7:flat",
        "gaussian-smoothing:1.6:flat",
        "laplacian-of-gaussian:1",
    ]
    assert max(len(tree.values) for tree in found.forest.trees) <= 5
    assert json.loads(json.dumps(found.record)) == record


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "a.pickle"], "a.pickle does not end with .model"),
        (["-o", "nowhere/a.model"], "which is no folder"),
        (["-o", "a.model", "--filters", "fourier"], "--filters: there is no filter 'fourier'"),
        (["-o", "a.model", "--sigmas", "-1"], "--sigmas: the sigma of gaussian-smoothing is -1"),
        (["-o", "a.model", "--features", "f.txt"], "--features: cannot read "),
        (["-o", "a.model", "--features", "f.txt", "--flat"], "leave out --filters, --sigmas and --flat"),
        (["-o", "a.model", "--mip", "7"], "has no mip 7"),
        (["-o", "a.model", "--bounds", "900,0,0:901,1,1"], "--bounds: 900,0,0:901,1,1 lies outside"),
        (["-o", "a.model", "--bounds", "50,0,10:60,9,20"], "has no label in 50,0,10:60,9,20"),
        (["-o", "a.model", "--bounds", "3,-5,7:9,2,12"], "labelled voxels of the class membrane, and at least 5"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_nothing_is_written(
    run: Run, scene: Scene, options: list[str], sentence: str
) -> None:
    ran = run("learn", "train", scene.image, scene.labels, *options)
    assert ran.code in (1, 2)
    assert sentence in ran.err
    assert not list(Path.cwd().glob("*.model"))


def test_labels_of_another_image_are_refused(run: Run, scene: Scene, tmp_path: Path) -> None:
    other = make_layer(tmp_path / "l", np.ones((9, 9, 9, 1), np.uint8), type="segmentation", resolution=(4, 4, 4))
    ran = run("learn", "train", scene.image, other, "-o", "a.model")
    assert ran.code == 1
    assert "have voxels of 4,4,4 nm" in ran.err


def test_a_model_that_is_none_is_refused_before_anything_is_written(run: Run, scene: Scene) -> None:
    Path("bad.model").write_bytes(b"cookbook")
    for words, sentence in (
        (["--model", "bad.model"], "--predict: "),
        (["--model", "none.model"], "--model: cannot read "),
        (["--model", "a.txt"], "a.txt does not end with .model or .ilp"),
    ):
        ran = run("learn", "predict", scene.image, "c", *words)
        assert ran.code == 2
        assert sentence in ran.err
    assert not Path("c").exists()


def test_tasks_of_a_prediction_are_those_of_segment(run: Run, scene: Scene, model: str) -> None:
    ran = run("learn", "predict", scene.image, "c", "--model", model, "--shape", "32,32,32", "--queue", "q")
    assert ran.code == 0
    assert "4 tasks are in" in ran.out
    assert run("learn", "predict", scene.image, "c", "--model", model, "--shape", "32,32,32", "--dry-run").code == 0
    assert run("execute", "q", "--exit-on-empty", "--quiet").code == 0
    assert set(np.unique(read_layer("c", 0))) == {1, 2}
    assert run("verify", "c").code == 0


def test_evaluation_is_cross_validated_and_its_scores_are_scikit_learn_s(
    run: Run, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, Any]] = []
    whole = held_back.predict_held_back

    def remembered(samples: Any, *given: Any) -> Any:
        told.append((samples.labels, whole(samples, *given)))
        return told[-1][1]

    monkeypatch.setattr("teravox.pipeline.learning.scoring.predict_held_back", remembered)
    ran = run("learn", "evaluate", scene.image, scene.labels, "--json", "--folds", "3", *QUICK)
    assert ran.code == 0
    figures = json.loads(ran.out)
    ((truth, probabilities),) = told
    assert figures["confusion"] == confusion_matrix(truth, probabilities.argmax(axis=1)).tolist()
    for number, one in enumerate(figures["classes"]):
        assert one["f"] == pytest.approx(f1_score(truth, probabilities.argmax(axis=1), pos_label=number))
        assert one["roc_auc"] == pytest.approx(roc_auc_score(truth == number, probabilities[:, number]))
        assert one["average_precision"] == pytest.approx(
            average_precision_score(truth == number, probabilities[:, number])
        )
    assert figures["classes"][0]["roc_auc"] > 0.9
    assert not list(Path.cwd().glob("*.html"))


def test_a_voxel_is_tested_by_a_classifier_that_has_not_seen_its_place(
    run: Run, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    whole = Wish.train

    def counted(wish: Wish, features: Any, labels: Any, classes: int) -> Any:
        seen.append(len(labels))
        return whole(wish, features, labels, classes)

    monkeypatch.setattr(Wish, "train", counted)
    assert run("learn", "evaluate", scene.image, scene.labels, "-o", "e.html", "--folds", "4", *QUICK).code == 0
    labels = open_labels(scene.labels)
    assert sum(seen) == 3 * np.count_nonzero(labels.read(labels.bounds))
    assert len(seen) == 4


def test_the_page_has_its_tables_and_curves_and_needs_nothing_else(run: Run, scene: Scene, model: str) -> None:
    ran = run("learn", "evaluate", scene.image, scene.labels, "--model", model)
    assert ran.code == 0
    assert "of the labels are told right" in ran.out
    page = Path("evaluation.html").read_text()
    assert page.count("<polyline") == 4
    assert page.count("<table") == 2
    assert "membrane" in page
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "a.pdf"], "a.pdf does not end with .html"),
        (["-o", "a.html", "--json"], "--output: means nothing with --json"),
        (["--model", "some.model", "--folds", "3"], "--folds: means nothing with --model"),
        (["--model", "some.model"], "has 2 classes, and the model 3"),
        (["--model", "none.model"], "cannot read"),
        (["--folds", "1"], "--folds"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(run: Run, scene: Scene, options: list[str], sentence: str) -> None:
    write_model("some.model", draw_model("a", "b", "c", resolution=(8.0, 8.0, 8.0)))
    ran = run("learn", "evaluate", scene.image, scene.labels, *options, *([] if "--model" in options else QUICK))
    assert ran.code in (1, 2)
    assert sentence in ran.err
    assert not list(Path.cwd().glob("*.html"))


def test_labels_in_one_place_cannot_be_held_back(run: Run, scene: Scene, tmp_path: Path) -> None:
    labels = np.zeros((64, 48, 24, 1), np.uint8)
    labels[8:12, 8:11, 8] = 1
    labels[14, 10:14, 8:14] = 2
    path = make_layer(tmp_path / "l", labels, type="segmentation", offset=LOW, resolution=(8, 8, 8))
    ran = run("learn", "evaluate", scene.image, path, *QUICK)
    assert ran.code == 1
    assert "all labels of the class class 1 lie in one place" in ran.err
    ran = run("learn", "train", scene.image, path, "-o", "a.model", *QUICK)
    assert ran.code == 0
    assert "How good it is cannot be said: all labels of the class" in ran.out


def test_supervoxels_are_learnt_and_predicted(run: Run, scene: Scene) -> None:
    assert run("learn", "train", scene.image, scene.labels, "-o", "s.model", "--supervoxels", "20", *QUICK).code == 0
    assert read_model("s.model").unit == "supervoxels"
    assert run("learn", "predict", scene.image, "c", "--model", "s.model", "--quiet").code == 0
    found = read_layer("c", 0)[..., 0]
    assert (found == scene.truth).mean() > 0.7
    assert Layer.open("c").info.type == "segmentation"


def test_options_of_training_are_those_that_a_model_forbids() -> None:
    from teravox.cli.commands.learn.evaluate import OF_MODEL

    assert set(OF_MODEL) <= set(Evaluate.__struct_fields__)
