"""Real projects of ilastik: probabilities as ilastik itself wrote them, and what can be read of others."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from teravox.kernels.learning.features import compute
from teravox.kernels.learning.ilastik.model import model_of_project
from teravox.kernels.learning.ilastik.project import read_lane_labels, read_project
from teravox.pipeline.box import Box
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.learning.ilastik.project_file import ProjectFile
from teravox.pipeline.learning.ilastik.raw_image import OwnImage
from teravox.pipeline.learning.ilastik.retrain import retrain
from teravox.pipeline.learning.wish import Wish

DATA = Path(os.environ.get("TERAVOX_DATA", "/nonexistent"))
PROJECTS = DATA / "ilastik_projects"

pytestmark = pytest.mark.skipif(not PROJECTS.is_dir(), reason="TERAVOX_DATA names no folder that has ilastik_projects")


def opened(name: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(PROJECTS / name)


def image(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:  # of any grey type
    """As z, y, x and channel."""
    data = io.BytesIO(archive.read(name))
    if name.endswith(".npy"):
        voxels = np.load(data)
        return np.asarray(voxels.reshape(*voxels.shape[:3], -1))
    picture = np.array(Image.open(data))
    return picture.reshape(1, *picture.shape[:2], -1)


@pytest.mark.parametrize(
    ("project", "source", "result", "same", "mean"),
    [
        ("PixelClass.ilp", "Data_1channel.png", "res-Data_1channel_pc1xyc.npy", 1.0, 5e-6),
        ("2464_PixelClassification_xy_input.ilp", "Data_1channel.png", "res-Data_1channel_pc1xy.npy", 1.0, 1e-5),
        ("PixelClass3Channel.ilp", "Data_3channel.png", "res-Data_3channel_pc3c.npy", 1.0, 5e-6),
        ("PixelClass3D.ilp", "Data_3D.npy", "res-Data_3D_pc3d.npy", 0.9999, 6e-5),
        ("PixelClass3D_2D_3D_feature_mix.ilp", "Data_3D.npy", "res-Data_3D_pc3d2dfm.npy", 0.9999, 6e-5),
    ],
    ids=["2-D", "2-D without channel", "three channels", "3-D", "2-D and 3-D"],
)
def test_probabilities_are_those_of_ilastik(project: str, source: str, result: str, same: float, mean: float) -> None:
    with opened("api_projects.zip") as archive:
        model = model_of_project(archive.read(project), project)
        gray = image(archive, source)
        wanted = np.load(io.BytesIO(archive.read(result))).reshape(-1, len(model.classes))
    features = compute(gray, model.selection, model.scale)
    found = model.forest.predict(features.reshape(len(features), -1))
    off = np.abs(found - wanted)
    assert (found.argmax(1) == wanted.argmax(1)).mean() >= same
    assert off.mean() < mean
    assert (off.max(1) > 1e-6).mean() < 0.002  # a feature that lies on a threshold, by rounding


def test_projects_of_all_versions_are_read() -> None:
    with opened("test_projects.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.endswith(".ilp")}
    trees: dict[str, int] = {}
    for name, data in files.items():
        if "PixelClassification" in name:
            project = read_project(data, name)
            assert project.forest is not None
            assert sum((block.classes > 0).any() for block in read_lane_labels(data, project, 0))
            trees[Path(name).stem] = len(project.forest.trees)
        else:
            with pytest.raises(ValueError, match=r"its workflow is .*, and only Pixel Classification is read"):
                read_project(data, name)
    assert trees == dict.fromkeys(
        (
            f"PixelClassification{form}"
            for form in ("2d", "2d3c", "2d_units", "3d", "3d1c", "3d2c", "5t2d1c", "5t2d2c", "5t3d2c")
        ),
        100,
    )


def test_a_project_with_its_image_inside_can_be_trained_anew() -> None:
    pytest.importorskip("lightgbm", reason="the extra `learn` is not installed")
    file = ProjectFile(str(PROJECTS / "pc.ilp"))
    project = file.read()
    assert project.forest is not None
    learnt = retrain(file, project, [0], None, Wish("forest"), lambda _: None)
    own = OwnImage(file.path, project.lanes[0], 0)
    gray = own.read(Box((300, 200, 0), (556, 456, 1)))
    own.close()
    features = compute(gray, project.selection, learnt.scale).reshape(learnt.columns, -1)
    both = [forest.predict(features).argmax(1) for forest in (project.forest, learnt.forest)]
    assert (both[0] == both[1]).mean() > 0.95


def test_a_forest_of_other_filters_is_told_apart() -> None:
    file = ProjectFile(str(DATA / "dvidsparkservices" / "tiny-pc.ilp"))
    with pytest.raises(TeravoxError, match=r"trained by ilastik 1\.1\.7"):
        file.read()
    assert sum(file.labelled_lanes(file.read(with_forest=False)).values()) == 350
