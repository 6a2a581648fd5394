"""`teravox learn suggest`: the slices that it names, for people and for machines, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.running import Run
from layers.make import make_layer
from learning.stumps import forest_of

from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.model import Model, write_model
from teravox.kernels.learning.selection import Feature, Selection

SIZE = (40, 36, 12)
HARD = 8  # the slice that the model cannot tell


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image whose one slice lies between dark and bright, labels in its first slice, and a model."""
    folder = tmp_path_factory.mktemp("learn")
    gray = np.full((*SIZE, 1), 40, np.uint8)
    gray[20:] = 220
    gray[:, :, HARD] = 130
    gray += np.random.default_rng(1).integers(0, 9, gray.shape, np.uint8)
    labels = np.zeros((*SIZE, 1), np.uint8)
    labels[2:9, 4, 0] = 1
    labels[30:35, 7, 0] = 2
    how = {"resolution": (8, 8, 30), "chunk": (20, 20, 12)}
    make_layer(folder / "em", gray, **how)  # type: ignore[arg-type]  # as it takes them
    make_layer(folder / "labels", labels, type="segmentation", **how)  # type: ignore[arg-type]  # as above
    make_layer(folder / "other", gray, resolution=(9, 9, 9))
    model = Model(
        unit="voxels",
        classes=make_classes(["dark", "bright"]),
        selection=Selection((Feature("gaussian-smoothing", 0.7),)),
        channels=1,
        resolution=(30.0, 8.0, 8.0),
        forest=forest_of(1, *((0, float(value)) for value in range(60, 210, 15))),
    )
    write_model(folder / "cells.model", model)
    return folder


def test_slices_are_named_the_best_first_with_where_to_look(folder: Path, run: Run) -> None:
    before = sorted(folder.rglob("*"))
    model = ["--model", str(folder / "cells.model")]
    code, out, err = run("learn", "suggest", str(folder / "em"), str(folder / "labels"), *model, "--quiet")
    lines = out.splitlines()
    assert (code, err, lines[0]) == (0, "", "slice     uncertainty  look at (x,y,z)")
    assert re.fullmatch(r"z = 8 +0\.\d{3}  \d+,\d+,8", lines[1])
    assert len(lines) == 6
    assert sorted(folder.rglob("*")) == before


def test_machines_read_the_same(folder: Path, run: Run) -> None:
    words = [str(folder / "em"), str(folder / "labels"), "--number", "2", "--json"]
    code, out, err = run("learn", "suggest", *words, "--model", str(folder / "cells.model"))
    found = json.loads(out)
    assert (code, err, len(found)) == (0, "", 2)
    assert found[0]["axis"] == "z"
    assert found[0]["position"] == found[0]["place"][2] == HARD
    assert 0 < found[0]["score"] <= 1
    assert 0 < found[0]["uncertainty"] <= 1


def test_without_a_model_nothing_is_said_of_uncertainty(folder: Path, run: Run) -> None:
    code, out, _ = run("learn", "suggest", str(folder / "em"), str(folder / "labels"), "--number", "1", "--quiet")
    assert code == 0
    assert re.fullmatch(r"slice     look at \(x,y,z\)\nz = ([789]) +\d+,\d+,\1\n", out)


def test_where_all_slices_are_labelled_it_says_so(folder: Path, run: Run) -> None:
    words = [str(folder / "em"), str(folder / "labels"), "--bounds", "0,0,0:40,36,1"]
    assert run("learn", "suggest", *words, "--axis", "z", "--quiet") == (0, "Every slice has labels.\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "{folder}/none.model"], "--model: cannot read {folder}/none.model: No such file or directory"),
        (["--model", "{folder}/em/info"], "--model: {folder}/em/info: it is no model"),
        (["--number", "0"], "--number"),
        (["--axis", "w"], "--axis"),
        (["--bounds", "90,0,0:91,1,1"], "--bounds: 90,0,0:91,1,1 lies outside of"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, run: Run, words: list[str], said: str) -> None:
    words = [word.format(folder=folder) for word in words]
    code, out, err = run("learn", "suggest", str(folder / "em"), str(folder / "labels"), *words, "--quiet")
    assert (code, out) == (2, "")
    assert said.format(folder=folder) in err


def test_a_model_of_other_voxels_and_labels_of_another_image_are_refused(folder: Path, run: Run) -> None:
    code, _, err = run("learn", "suggest", str(folder / "other"), str(folder / "labels"), "--quiet")
    assert code == 1
    assert "labels belong to a mip of their image" in err
    labels = str(folder / "labels-other")
    make_layer(Path(labels), np.ones((*SIZE, 1), np.uint8), type="segmentation", resolution=(9, 9, 9))
    model = ["--model", str(folder / "cells.model")]
    code, _, err = run("learn", "suggest", str(folder / "other"), labels, *model, "--quiet")
    assert code == 2
    assert "--model: the model was learnt on voxels of 8,8,30 nm" in err
