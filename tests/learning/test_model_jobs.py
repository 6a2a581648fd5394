"""Models in jobs of `segment`: part of what the job is, carried in DEST, and refused before anything is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import make_layer, read_layer
from learning.some_models import draw_model
from segmentation.segmenting import grey, run

from teravox.kernels.learning.model import write_model
from teravox.kernels.learning.use import model_of
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.segmentation import carried
from teravox.pipeline.segmentation.plan import make_plan
from teravox.pipeline.segmentation.steps import Step, parse_step, parse_steps
from teravox.tasks.segment import Segment

SIZE = (20, 18, 10)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "a.model", draw_model(resolution=(8.0, 4.0, 4.0)))
    return tmp_path / "a.model"


@pytest.fixture
def job(tmp_path: Path, model: Path) -> Segment:
    source = make_layer(tmp_path / "em", grey(SIZE, seed=4), chunk=(10, 10, 10), resolution=(4, 4, 8))
    return Segment(
        source=source,
        dest=str(tmp_path / "out"),
        predict=parse_step(str(model)),
        output="probabilities",
        data_type="float32",
    )


def again(job: Segment) -> Segment:
    """The job as a worker reads it."""
    return msgspec.json.decode(msgspec.json.encode(job), type=Segment)


def forget() -> None:
    """What this process knows of files that it has read."""
    model_of.cache_clear()


def test_a_path_of_a_model_is_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = str(tmp_path / "x.model")
    assert parse_step("x.model") == parse_step("./x.model") == Step("classifier", {"model": whole})
    assert parse_step("./x.ilp:boundary=wall").parameters == {"model": str(tmp_path / "x.ilp"), "boundary": "wall"}
    assert parse_step('x.model:objects=["cell"]').parameters["objects"] == ["cell"]
    assert parse_steps("lab.model:own,x.model") == (Step("lab.model:own"), Step("classifier", {"model": whole}))


def test_what_a_model_holds_is_part_of_the_job(job: Segment, model: Path) -> None:
    settled = job.settled()
    assert settled.predict is not None
    assert settled.predict.parameters["model"]["path"] == str(model)
    assert settled == job.settled() == settled.settled() == again(settled)
    first = make_plan(settled).id
    write_model(model, draw_model(resolution=(8.0, 4.0, 4.0), seed=1))
    assert job.settled() != settled
    assert make_plan(job.settled()).id != first


def test_where_a_model_lies_changes_no_result(job: Segment, model: Path, tmp_path: Path) -> None:
    (tmp_path / "other.model").write_bytes(model.read_bytes())
    moved = msgspec.structs.replace(job, predict=parse_step(str(tmp_path / "other.model")))
    assert make_plan(moved.settled()).id == make_plan(job.settled()).id


def test_workers_find_the_model_in_dest(job: Segment, model: Path) -> None:
    settled = job.settled()
    settled.prepare()
    model.unlink()
    forget()
    elsewhere = again(settled)
    for piece in elsewhere.pieces():
        assert elsewhere.memory(piece) > 0
        elsewhere.run(piece)
    found = read_layer(job.dest, 0)
    assert found.shape == (*SIZE, 2)
    assert np.abs(found.sum(axis=3) - 1).max() < 1e-6


@pytest.mark.server
def test_workers_find_the_model_in_a_bucket(job: Segment, model: Path, layer_in_bucket: str) -> None:
    settled = msgspec.structs.replace(job, dest=layer_in_bucket).settled()
    settled.prepare()
    model.unlink()
    forget()
    elsewhere = again(settled)
    for piece in elsewhere.pieces():
        elsewhere.run(piece)
    layer = Layer.open(settled.dest, fresh=True)
    found = layer.read(layer.bounds(0), 0)
    assert np.abs(found.sum(axis=3) - 1).max() < 1e-6


def test_a_model_that_is_gone_or_damaged_is_told(job: Segment, model: Path) -> None:
    settled = job.settled()
    settled.prepare()
    (copy,) = Path(job.dest, carried.MODELS).iterdir()
    copy.write_bytes(copy.read_bytes()[:-9])
    forget()
    with pytest.raises(BadInput, match="is damaged"):
        again(settled).pieces()
    copy.unlink()
    model.unlink()
    forget()
    with pytest.raises(BadInput, match="neither there nor copied"):
        again(settled).pieces()


def test_a_message_cannot_make_a_worker_read_other_files(
    job: Segment, model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settled = job.settled()
    forget()
    monkeypatch.setattr("teravox.pipeline.segmentation.carried.is_allowed", lambda path: False)
    with pytest.raises(BadInput, match="neither there nor copied"):
        again(settled).pieces()
    with pytest.raises(BadUsage, match=re.escape(f"model of the step classifier is {model}, ")):
        again(job).pieces()  # which was never settled
    assert settled.predict is not None
    for sha256 in ("../../secret", "a" * 63, 7):
        wrong = {"path": str(model), "sha256": sha256}
        step = Step("classifier", settled.predict.parameters | {"model": wrong})
        with pytest.raises(BadUsage, match="--predict: "):
            msgspec.structs.replace(settled, predict=step).pieces()


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"boundary": "wall"}, "--predict: the model has no class 'wall': it has membrane, inside"),
        ({"boundary": "inside", "objects": ["inside"]}, "--predict: boundary and objects are both given"),
        ({"model": "a.model"}, "--predict: model of the step classifier is a.model, which begins nowhere"),
        ({"model": "/nowhere/a.model"}, "--predict: cannot read /nowhere/a.model"),
        ({"size": 3}, "the step classifier has no parameter 'size'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    job: Segment, parameters: dict[str, Any], sentence: str
) -> None:
    assert job.predict is not None
    wrong = msgspec.structs.replace(job, predict=Step("classifier", job.predict.parameters | parameters))
    with pytest.raises(BadUsage) as refused:
        run(wrong.settled())
    assert sentence in str(refused.value)
    assert not Path(job.dest).exists()


def test_a_model_for_other_voxels_is_refused(job: Segment, model: Path) -> None:
    write_model(model, draw_model(resolution=(8.0, 8.0, 8.0)))
    with pytest.raises(BadUsage, match="--predict: the model was learnt on voxels of 8,8,8 nm"):
        run(job.settled())


def test_bodies_come_of_the_class_that_is_boundary(job: Segment) -> None:
    assert job.predict is not None
    named = Step("classifier", job.predict.parameters | {"boundary": "membrane"})
    bodies = []
    for number, predict in enumerate((job.predict, named)):
        dest = f"{job.dest}{number}"
        labelled = msgspec.structs.replace(
            job, dest=dest, predict=predict, output="labels", data_type="uint8", halo=(4, 4, 2)
        )
        run(labelled.settled())
        bodies.append(sorted(file.read_bytes() for file in Path(dest).rglob("cores/*")))
    assert bodies[0] == bodies[1]
    assert bodies[0]
