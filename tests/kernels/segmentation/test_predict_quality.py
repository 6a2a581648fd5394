"""The step files of examples/: they name steps that exist, and segment real tissue as well as the page on quality says."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from learning.some_models import draw_model
from real_volumes import real
from skimage.metrics import variation_of_information

from teravox.kernels.learning.model import write_model
from teravox.pipeline.segmentation.step_functions import BoundStep, bind
from teravox.pipeline.segmentation.steps import read_steps_file

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("segment_*.toml"))


def steps_of(file: Path) -> list[BoundStep]:
    steps = read_steps_file(str(file))
    assert steps.predict is not None
    assert steps.supervoxels is not None
    assert steps.agglomerate is not None
    return [
        bind("predict", steps.predict, "--steps"),
        bind("supervoxels", steps.supervoxels, "--steps"),
        *(bind("agglomerate", step, "--steps") for step in steps.agglomerate),
    ]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_steps_of_a_file_exist_and_take_its_parameters(file: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(file, tmp_path))
    predict = tomllib.loads(copy.read_text())["predict"]
    if "model" in predict:  # which is to be beside the file
        named = predict.get("boundary") or predict["objects"][0]
        write_model(tmp_path / predict["model"], draw_model(named, "another"))
    assert len(steps_of(copy)) >= 3


def test_neurites_are_found_without_training() -> None:
    volumes = np.load(real("fib25_medulla/train_z000-130.npz"))
    corner = (slice(0, 64), slice(0, 160), slice(0, 160))
    gray, truth = volumes["gray"][corner], volumes["groundtruth"][corner]
    (example,) = (one for one in EXAMPLES if one.stem == "segment_fib25")
    predict, supervoxels, *agglomerate = (step.declared.function for step in steps_of(example))
    parameters = [step.parameters for step in steps_of(example)]

    prediction = predict(gray, None, **parameters[0])
    labels = supervoxels(prediction, None, **parameters[1])
    for step, given in zip(agglomerate, parameters[2:], strict=True):
        labels = step(prediction, labels, **given)

    split, merge = variation_of_information(truth, labels, ignore_labels=(0,))
    assert split + merge < 2.0
