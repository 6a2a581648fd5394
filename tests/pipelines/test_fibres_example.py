"""The example for fibres, as it stands, on a small bundle whose fibres are known; and that blocks change nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from cloudvolume import CloudVolume
from layers.make import make_layer, read_layer
from numpy.typing import NDArray
from real_volumes import real
from segmentation.whole import are_same
from skimage.filters import apply_hysteresis_threshold
from tasks.image.ccl.components import do, stages

from teravox.cli.main import main
from teravox.kernels.segmentation.predict.tubeness import predict
from teravox.kernels.synthetic.fibres import draw_fibres
from teravox.pipeline.box import Vec
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.segmentation.steps import parse_step
from teravox.tasks.evaluate.centres import Centres as Compare
from teravox.tasks.segment import Segment

EXAMPLE = Path(__file__).parents[2] / "examples/fibres.toml"
SIZE: Vec = (84, 76, 40)
SEED = 4
TUBES = "tubeness:sigma=3,scales=[2,4.5],low=100,high=160,contrast=0.3,objects=false"
WEAK, STRONG = 20, 150


@pytest.fixture(scope="module")
def truth() -> NDArray[np.uint32]:
    """Which voxel belongs to which fibre, as x, y and z."""
    return draw_fibres(SIZE, (0, 0, 0), SIZE, SEED).truth


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the example was run."""
    folder = tmp_path_factory.mktemp("fibres")
    tifffile.imwrite(folder / "fibres.tif", draw_fibres(SIZE, (0, 0, 0), SIZE, SEED).image.T)
    settings = {"source": folder / "fibres.tif", "out": folder / "out"}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    assert main(["run", str(EXAMPLE), *words, "--quiet"]) == 0
    return folder / "out"


def rows_of(table: Path) -> list[dict[str, float]]:
    with table.open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_there_are_as_many_fibres_as_were_drawn(ran: Path, truth: NDArray[np.uint32]) -> None:
    found = read_layer(str(ran / "bodies"), 0)[..., 0]
    drawn = np.unique(truth[truth > 0])
    assert len(drawn) > 8
    assert len(rows_of(ran / "fibres.csv")) - 1 == len(drawn)  # with the background
    pairs = np.unique(np.stack([found[(found > 0) & (truth > 0)], truth[(found > 0) & (truth > 0)]]), axis=1)
    assert pairs.shape[1] == len(drawn)  # each lies on one that was drawn, and no other does
    dice = 2 * ((found > 0) & (truth > 0)).sum() / ((found > 0).sum() + (truth > 0).sum())
    assert dice > 0.9


def test_their_centres_are_where_they_were_drawn(ran: Path, truth: NDArray[np.uint32], tmp_path: Path) -> None:
    clicked = tmp_path / "clicked.csv"
    labels, slices = np.unique(truth[truth > 0]), (3, 20)
    middles = [[*np.argwhere(truth[..., z] == label).mean(axis=0), z] for z in slices for label in labels]
    np.savetxt(clicked, middles, delimiter=",", header="x,y,z", comments="")
    job = Compare(KnownFile.at(str(clicked)), str(ran / "bodies"), str(tmp_path / "quality"), within=4.0)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    report: dict[str, Any] = json.loads((tmp_path / "quality/centres.json").read_text())
    assert report["centres"]["f1"] == 1
    assert report["centres"]["mean_distance"] < 0.5
    assert report["discs"]["dice"] > 0.9
    assert len(rows_of(ran / "centres.csv")) == SIZE[2] * len(labels)


def test_each_has_a_mesh_and_a_skeleton_along_it(ran: Path) -> None:
    volume = CloudVolume(f"file://{ran / 'bodies'}", progress=False)
    for row in rows_of(ran / "fibres.csv")[1:]:
        label = int(row["label"])
        assert len(volume.mesh.get(label)[label].faces) > 30
        assert volume.skeleton.get(label).cable_length() > 0.7 * SIZE[2] * 1000  # nanometres


def test_the_scene_shows_the_image_and_the_fibres(ran: Path) -> None:
    state = json.loads((ran / "scene.json").read_text())
    assert [layer["name"] for layer in state["layers"]] == ["image", "bodies"]


def fibres_in_blocks(folder: Path, image: NDArray[np.uint8], shape: Vec) -> NDArray[np.uint32]:
    """The first steps of the example, in blocks of a shape."""
    source = make_layer(folder / "image", np.asfortranarray(image[..., None]), chunk=(16, 16, 16), resolution=(9, 9, 9))
    tubes = str(folder / "tubes")
    job = Segment(source, tubes, predict=parse_step(TUBES), output="probabilities", shape=shape, halo=(4, 4, 4))
    do([job])
    options = {"threshold_gte": WEAK, "strong_gte": STRONG, "connectivity": 26, "shape": shape, "group": (2, 2, 2)}
    do(stages(tubes, str(folder / "bodies"), **options))
    found: NDArray[np.uint32] = read_layer(str(folder / "bodies"), 0)[..., 0]
    return found


def test_fibres_of_a_polymer_are_found_in_any_blocks(tmp_path: Path) -> None:
    image = np.load(real("polymer_ct/polymer3d_128.npy")).T[:96, :96, :64]
    found = fibres_in_blocks(tmp_path / "blocks", image, (48, 32, 32))
    assert are_same(found, fibres_in_blocks(tmp_path / "whole", image, (96, 96, 64)))
    assert 0.03 < (found > 0).mean() < 0.3
    assert image[found > 0].mean() > image[found == 0].mean() + 40


def test_blocks_find_the_fibres_of_the_whole(tmp_path: Path) -> None:
    size: Vec = (48, 40, 32)
    image = draw_fibres(size, (0, 0, 0), size, 1).image
    found = fibres_in_blocks(tmp_path, image, (32, 16, 16))
    step = parse_step(TUBES)
    tubes = predict(np.ascontiguousarray(image.T), None, **step.parameters)[..., 0].T
    kept = apply_hysteresis_threshold(np.rint(tubes * 255), WEAK - 0.5, STRONG - 0.5)
    assert ((found > 0) == kept).all()
    assert are_same(found, fibres_in_blocks(tmp_path / "whole", image, size))
