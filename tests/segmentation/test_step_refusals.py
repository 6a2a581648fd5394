"""Values of parameters that cannot be meant: each built-in step refuses them before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import make_layer
from learning.some_models import write_some_model
from segmentation.networks import write_network
from segmentation.segmenting import grey, own

from teravox.cli.main import main
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.segmentation.catalog import KINDS, all_steps
from teravox.pipeline.segmentation.step_functions import built_in
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.segment import Segment

Parameters = dict[str, Any]

GREY: Parameters = {"channel": 1, "low": 300, "high": -1}
BOUNDARY: Parameters = {"boundary_channel": 3}
LINES: Parameters = {
    **GREY, "sigma": -1, "scales": [-1], "contrast": 0, "sharpen": -1, "sharpen_sigma": -1, "sharpen_threshold": -1,
    "dark": 1, "objects": "yes",
}  # fmt: skip
NONSENSE: dict[str, Parameters] = {
    "classifier": {"model": "a.model", "boundary": "nothing", "objects": ["nothing"], "working_memory": -1},
    "invert": GREY,
    "layer": {"path": "a", "mip": 0.5, "channels": [-1], "scale": 0, "invert": 1},
    "membrane": {
        **GREY, "sigma": -1, "contrast": 0, "slope": -1, "darkness": 2, "sigma_darkness": -1, "bright": 1, "per_slice": 1
    },
    "onnx": {
        "model": "a.onnx", "patch": [0, 8, 8], "rim": [9, 0, 0], "overlap": [0, -1, 0], "scale": "x", "shift": 1e999,
        "activation": "tanh", "channels": [2], "threads": 0, "working_memory": -1,
    },
    "particles": {
        "threshold": "ots", "bright": 1, "denoise": "x", "radius": 200, "amount": -1, "opening": -1, "holes": -1, "channel": 1
    },
    "sheetness": {**GREY, "sigma": -1, "contrast": 0, "slope": -1, "bright": 1, "objects": 0, "per_slice": 1},
    "threshold": {
        "threshold": "ots", "width": -1, "bright": 1, "objects": 1, "sigma": -1, "background": -1, "channel": -1
    },
    "tubeness": {**LINES, "alpha1": 0, "alpha2": 0},
    "vesselness": {**LINES, "alpha": 0, "beta": 0, "gamma": 0},
    "components": {**BOUNDARY, "threshold": 2, "connectivity": 8, "min_size": -1, "per_slice": 1},
    "distance-watershed": {
        **BOUNDARY, "threshold": -1, "sigma_seeds": -1, "sigma_weights": -1, "alpha": 2, "reach": 0, "min_size": -1,
        "highest": 2, "per_slice": 1,
    },
    "h-maxima-watershed": {**BOUNDARY, "threshold": 2, "h": -1, "relative": 2, "min_radius": -1},
    "mutex-watershed": {"offsets": [[0, 0, -1]], "attractive": 9, "strides": [1, 1, 0], "min_size": -1},
    "seeded-watershed": {**BOUNDARY, "seed_threshold": 2, "seed_size": -1, "min_segment_size": -1},
    "slic": {"size": 0, "compactness": 0, "iterations": 0},
    "mean-boundary": {**BOUNDARY, "affinities": 1, "threshold": 2},
    "none": {},
    "size-filter": {**BOUNDARY, "min_size": -1, "action": "x", "affinities": 1},
    "waterz": {**BOUNDARY, "threshold": 2, "scoring": "x", "quantile": 7, "affinities": 1},
}  # fmt: skip
"""By step and parameter, a value that is none."""

NEEDED: dict[str, Parameters] = {"threshold": {"threshold": 100}, "particles": {"threshold": 100}}
SAID = {"boundary_channel": "no channel 3", "boundary": "no class 'nothing'", "objects": "no class 'nothing'"}
"""How a parameter is told that is not told by its name."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image, a classifier and a network."""
    there = tmp_path_factory.mktemp("refusals")
    make_layer(there / "em", grey((12, 10, 8)), chunk=(8, 8, 8), resolution=(4, 4, 8))
    write_some_model(there)
    write_network(there / "a.onnx", np.ones((2, 1, 1, 1, 1), np.float32), channels=2)
    return there


def segmenting(folder: Path, what: str, *steps: Step) -> Segment:
    """A job with these steps, and six channels where they are needed."""
    network = str(folder / "a.onnx")
    six = Step(
        "onnx", {"model": network, "channels": [0, 1] * 3, "patch": [8, 8, 8], "rim": [0, 0, 0], "overlap": [0, 0, 0]}
    )
    given: dict[str, Any] = {"predict": six} if steps[0].name == "mutex-watershed" else {}
    given[what] = steps if what == "agglomerate" else steps[0]
    return Segment(source=str(folder / "em"), dest=str(folder / "out"), **given)


def needed(folder: Path, name: str) -> Parameters:
    """What a step cannot do without."""
    files = {"classifier": "some.model", "onnx": "a.onnx"}
    small = {"patch": [8, 8, 8], "rim": [1, 1, 1], "overlap": [0, 0, 0]} if name == "onnx" else {}
    return small | ({"model": str(folder / files[name])} if name in files else NEEDED.get(name, {}))


@pytest.mark.parametrize(("what", "name"), [(what, name) for what in KINDS for name in built_in(what)])
def test_each_parameter_of_a_built_in_step_is_looked_at_before_anything_is_written(
    folder: Path, what: str, name: str
) -> None:
    (declared,) = (step.declared for step in all_steps() if (step.what, step.name) == (what, name))
    assert set(NONSENSE[name]) == set(declared.parameters)
    segmenting(folder, what, Step(name, needed(folder, name))).settled().pieces()
    for parameter, value in NONSENSE[name].items():
        wrong = segmenting(folder, what, Step(name, needed(folder, name) | {parameter: value}))
        for told in (Segment.prepare, Segment.pieces):
            with pytest.raises(BadUsage) as refused:
                told(wrong.settled())
            assert str(refused.value).startswith(f"--{what}: ")
            assert any(words in str(refused.value) for words in (parameter, SAID.get(parameter, parameter)))
        assert not (folder / "out").exists()


def test_a_threshold_that_is_not_found_yet_is_no_reason_to_refuse(folder: Path) -> None:
    for step in (Step("particles"), Step("threshold", {"threshold": "otsu:3/2"})):
        segmenting(folder, "predict", step).pieces()
    with pytest.raises(BadUsage, match="--predict: the step particles refuses this: expected a grey value, otsu"):
        segmenting(folder, "predict", Step("particles", {"threshold": "ots"})).pieces()


def test_steps_of_ones_own_are_not_called_before_tasks_run(folder: Path) -> None:
    job = segmenting(folder, "predict", own("raises"))
    assert job.pieces()


def test_a_plan_and_a_dry_run_tell_it_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["segment", str(folder / "em"), str(folder / "out"), "--supervoxels", "slic:compactness=0"]
    assert main([*words, "--dry-run"]) == 2
    assert "--supervoxels: the step slic refuses this: compactness is 0, but must be above 0" in capsys.readouterr().err
    assert main(["segment", "try", str(folder / "em"), "0,0,0:8,8,8", *words[3:], "--no-browser"]) == 2
    assert "compactness is 0, but must be above 0" in capsys.readouterr().err


def test_numbers_without_an_end_are_refused(folder: Path) -> None:
    job = segmenting(folder, "predict", Step("invert", {"high": float("inf")}))
    with pytest.raises(BadUsage, match="--predict: high of the step invert is inf, and numbers must have an end"):
        job.pieces()
    assert msgspec.json.decode(msgspec.json.encode(job), type=Segment) != job  # JSON would have made it another one
