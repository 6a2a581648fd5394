"""The example for brains in X-ray tomography: a few labels, a classifier, and cells and vessels as they are."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable
from pathlib import Path

import cc3d
import numpy as np
import pytest
from layers.make import make_layer
from numpy.typing import NDArray
from real_volumes import real

from teravox.cli.main import main
from teravox.kernels.synthetic.brain import CELL, VESSEL, Brain, draw_brain
from teravox.kernels.synthetic.drawn import Vec
from teravox.pipeline.layers.layer import Layer

EXAMPLE = Path(__file__).parents[2] / "examples" / "xbrain.toml"
NO_OPTIONS = ("name", "do", "after", "layer")  # of a step
SIZE: Vec = (80, 72, 64)
RESOLUTION = (650.0, 650.0, 650.0)
LABELLED = {CELL: 0.0008, VESSEL: 0.0008, 3: 0.0028}  # of the voxels; 3 is everything else
SMALLEST = 60  # voxels of a cell that counts; what the side of the volume cuts off may have fewer

Teravox = Callable[..., None]


@pytest.fixture
def teravox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Teravox:
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> None:
        capsys.readouterr()
        code = main([*words, "--quiet"])
        assert code == 0, capsys.readouterr().err

    return call


def some_labels(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels of a few voxels, most of them beside cells and vessels."""
    random = np.random.default_rng(5)
    labels = np.zeros(classes.size, np.uint8)
    of = np.where(classes == 0, 3, classes).ravel()
    for one, share in LABELLED.items():
        labels[random.choice(np.flatnonzero(of == one), int(share * classes.size), replace=False)] = one
    return labels.reshape(classes.shape)


def cells_found(found: NDArray[np.uint32], drawn: Brain) -> int:
    """How many cells share more than half of what either has with a cell that was found."""
    truth = np.where(drawn.classes == CELL, drawn.truth, 0)
    count = 0
    for cell in np.unique(truth[truth > 0]):
        there = truth == cell
        other = np.bincount(found[there]).argmax()
        both = (there & (found == other)).sum()
        count += bool(other and both > 0.5 * (there.sum() + (found == other).sum() - both))
    return count


def test_cells_and_vessels_are_found_by_labels_of_half_a_percent(tmp_path: Path, teravox: Teravox) -> None:
    pytest.importorskip("lightgbm", reason="the extra `learn` is not installed")
    drawn = draw_brain(SIZE, (0, 0, 0), SIZE, 7)
    labels = some_labels(drawn.classes)
    assert 0 < (labels > 0).mean() < 0.005
    np.save(tmp_path / "brain.npy", drawn.image.T)
    kinds = (("em", drawn.image, "image"), ("labels", labels, "segmentation"))
    for name, voxels, kind in kinds:
        make_layer(tmp_path / name, voxels[..., np.newaxis], chunk=(32, 32, 32), type=kind, resolution=RESOLUTION)
    how = ("--sigmas", "0.7,1.6", "--weights", "labels")
    teravox("learn", "train", "./em", "./labels", *how, "--output", "xbrain.model")
    small = {"source": "./brain.npy", "shape": "64,64,64", "min_cell": str(SMALLEST), "min_vessel": "100"}
    sets = [word for name, value in small.items() for word in ("--set", f"{name}={value}")]
    teravox("run", str(EXAMPLE), "--folder", str(tmp_path), *sets)

    classes, cells, vessels = (read(tmp_path / "xbrain" / name) for name in ("classes", "cells", "vessels"))
    assert dice(classes == VESSEL, drawn.classes == VESSEL) > 0.92
    assert dice(classes == CELL, drawn.classes == CELL) > 0.88
    sizes = np.unique(np.where(drawn.classes == CELL, drawn.truth, 0), return_counts=True)[1][1:]
    with (tmp_path / "xbrain" / "cells.csv").open() as file:
        table = {int(row["label"]): int(row["voxels"]) for row in csv.DictReader(file) if row["label"] != "0"}
    assert len(table) == cells.max() == pytest.approx((sizes >= SMALLEST).sum(), rel=0.04)
    assert cells_found(cells, drawn) >= 0.96 * (sizes >= SMALLEST).sum()
    assert table == dict(enumerate(np.bincount(cells.ravel())[1:].tolist(), start=1))
    check_objects(tmp_path / "xbrain" / "vessels", vessels, drawn)


def test_real_vessels_are_counted_and_traced(tmp_path: Path, teravox: Teravox) -> None:
    """From the mask on, as the example says."""
    with np.load(real("xbrain_vessels/segment_vessel_test_data_340x340x125.npz")) as arrays:
        mask = np.asarray(arrays["vmap"] > 0)
    make_layer(
        tmp_path / "mask",
        np.asfortranarray(mask[..., np.newaxis], np.uint8),
        chunk=(64, 64, 64),
        type="segmentation",
        resolution=RESOLUTION,
    )
    with EXAMPLE.open("rb") as file:
        steps = {step["name"]: step for step in tomllib.load(file)["step"]}
    sets = {"{reach}": "2000", "{tick}": "4000", "{min_vessel}": "500"}
    teravox(
        "image", "ccl", "auto", "mask", "vessels", "--connectivity", "26", "--dust", "500", "--shape", "128,128,128"
    )
    for name, command in (("skeleton pieces", "forge"), ("skeletons", "merge")):
        options = {key: sets.get(str(value), value) for key, value in steps[name].items() if key not in NO_OPTIONS}
        words = [
            f"--{key.replace('_', '-')}" if value is True else f"--{key.replace('_', '-')}={value}"
            for key, value in options.items()
        ]
        teravox("skeleton", command, "vessels", *words)
    teravox("skeleton", "measure", "vessels", "--output", "lengths.csv")
    vessels = read(tmp_path / "vessels")
    parts = cc3d.dust(cc3d.connected_components(mask, connectivity=26), threshold=500, connectivity=26)
    np.testing.assert_array_equal(vessels > 0, parts > 0)
    assert vessels.max() == len(np.unique(parts)) - 1 == 19
    with (tmp_path / "lengths.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 19
    assert sum(float(row["cable_length_nm"]) for row in rows) == pytest.approx(2.4e6, rel=0.05)


def check_objects(folder: Path, vessels: NDArray[np.uint32], drawn: Brain) -> None:
    """Each vessel has a mesh and a skeleton, and the skeletons run within vessels of the truth."""
    from cloudvolume import CloudVolume

    volume = CloudVolume(f"file://{folder}", progress=False)
    places = []
    for vessel in np.unique(vessels[vessels > 0]).tolist():
        assert len(volume.mesh.get(vessel)[vessel].faces)
        places.append((volume.skeleton.get(vessel).vertices / RESOLUTION[0]).astype(int))
    assert (drawn.classes[tuple(np.concatenate(places).T)] == VESSEL).mean() > 0.95
    assert (folder.parent / "scene.json").is_file()


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def read(path: Path) -> NDArray[np.uint32]:
    layer = Layer.open(str(path))
    return layer.read(layer.bounds(0), 0)[..., 0].astype(np.uint32)
