"""`teravox learn label` as it is called: what it refuses, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from labelling.conftest import CLASSES, Begin
from layers.make import files_of

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import create_labels

NAMED = ("--classes", "stripes,plain")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "--classes: file://{labels} has none yet; name some, like membrane,inside"),
        (("--classes", "a,a"), "--classes: two classes have the name a"),
        ((*NAMED, "--mip", "7"), "has no mip 7"),
        ((*NAMED, "--filters", "sobel"), "--filters: there is no filter 'sobel'"),
        ((*NAMED, "--sigmas", "0"), "--sigmas: "),
        ((*NAMED, "--features", "{folder}/nothing.txt"), "--features: cannot read {folder}/nothing.txt"),
        ((*NAMED, "--model-output", "{folder}/x.txt"), "--model-output: {folder}/x.txt does not end with .model"),
        ((*NAMED, "--model-output", "{folder}/no/x.model"), "--model-output: {folder}/no/x.model lies in"),
        ((*NAMED, "--show", "{folder}/no"), "there is no layer at file://{folder}/no"),
        ((*NAMED, "--supervoxels", "1"), "--supervoxels"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    image: Layer, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: str
) -> None:
    labels = tmp_path / "labels"
    given = [word.format(folder=tmp_path) for word in words]
    assert main(["learn", "label", image.url, str(labels), "--no-browser", *given]) in (1, 2, 3)
    said = capsys.readouterr()
    assert expected.format(folder=tmp_path, labels=labels) in said.err
    assert "Traceback" not in said.err
    assert (said.out, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("there", "expected"),
    [("nothing", "there is no layer at"), ("image", "sources are never written to")],
)
def test_an_image_that_is_none_or_is_the_labels_is_refused(
    image: Layer, tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str, expected: str
) -> None:
    before = files_of(image.url.removeprefix("file://"))
    source = image.url if there == "image" else str(tmp_path / "nothing")
    assert main(["learn", "label", source, image.url, "--no-browser", *NAMED]) in (2, 3)
    assert expected in capsys.readouterr().err
    assert files_of(image.url.removeprefix("file://")) == before


def test_labels_of_another_session_are_left_alone(
    begin: Begin, image: Layer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = begin()
    before = files_of(str(tmp_path / "labels"))
    words = ["learn", "label", image.url, session.labels.url, "--no-browser", "--classes", "stripes,plain,vessel"]
    assert main(words) == 2
    assert "is labelled by another session" in capsys.readouterr().err
    after = files_of(str(tmp_path / "labels"))
    assert {name for name in after if after[name] != before[name]} <= {"session.json"}, "it beats"


def test_other_classes_than_those_that_are_there_are_refused(
    image: Layer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_labels(image, 0, str(tmp_path / "labels"), CLASSES)
    words = ["learn", "label", image.url, str(tmp_path / "labels"), "--no-browser", "--classes", "plain,stripes"]
    assert main(words) == 2
    assert "has the classes stripes, plain already; name these, and others after them" in capsys.readouterr().err
    assert not (tmp_path / "labels/session.json").exists()
