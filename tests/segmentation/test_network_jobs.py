"""Files of steps in jobs of `segment`, such as networks: part of what the job is, and read from DEST by workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import pytest
from layers.make import make_layer, read_layer
from segmentation import own_steps
from segmentation.networks import Floats, write_network
from segmentation.segmenting import OWN, assemble, blocks_of, grey, own, run

from teravox.cli.main import main
from teravox.kernels.segmentation.network import _session
from teravox.kernels.segmentation.onnx_file import describe
from teravox.kernels.segmentation.step_file import StepFile
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.segmentation.carried import MODELS
from teravox.pipeline.segmentation.plan import make_plan
from teravox.pipeline.segmentation.steps import Step, Steps
from teravox.tasks.segment import Segment

SIZE = (20, 18, 10)
SMALL: dict[str, Any] = {"patch": [6, 8, 8], "rim": [1, 1, 1], "overlap": [1, 1, 1]}
MEANS: Floats = np.full((1, 1, 3, 3, 3), 1 / 27, np.float32)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    (tmp_path / "submitter").mkdir()
    write_network(tmp_path / "submitter/net.onnx", MEANS)
    return tmp_path / "submitter/net.onnx"


@pytest.fixture
def job(tmp_path: Path, network: Path) -> Segment:
    source = make_layer(tmp_path / "em", grey(SIZE, seed=4), chunk=(10, 10, 10), resolution=(4, 4, 8))
    return Segment(
        source=source,
        dest=str(tmp_path / "out"),
        predict=Step("onnx", {"model": str(network), **SMALL}),
        output="probabilities",
        data_type="float32",
    )


def forget() -> None:
    """What this process knows of files that it has read."""
    describe.cache_clear()
    _session.cache_clear()


def test_workers_elsewhere_find_the_network_in_dest(
    job: Segment, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="runs the networks")
    (tmp_path / "worker").mkdir()
    monkeypatch.chdir(network.parent)
    words = ["segment", job.source, job.dest, "--output", "probabilities", "--data-type", "float32"]
    step = "onnx:model=./net.onnx,patch=[6,8,8],rim=[1,1,1],overlap=[1,1,1]"
    assert main([*words, "--predict", step, "--queue", str(tmp_path / "queue"), "--quiet"]) == 0
    (copy,) = Path(job.dest, MODELS).iterdir()
    assert copy.read_bytes() == network.read_bytes()
    messages = [
        file.read_text() for file in (tmp_path / "queue").rglob("*") if file.is_file() and "onnx" in file.read_text()
    ]
    assert messages
    assert {tuple(json.loads(text)["job"]["predict"]["parameters"]["model"]) for text in messages} == {
        ("path", "sha256")
    }

    network.unlink()
    forget()
    monkeypatch.chdir(tmp_path / "worker")
    assert main(["execute", str(tmp_path / "queue"), "--exit-on-empty", "--quiet"]) == 0
    assert read_layer(job.dest, 0).shape == (*SIZE, 1)
    assert read_layer(job.dest, 0).max() > 0.3


def test_another_network_at_the_same_path_is_another_job(job: Segment, network: Path) -> None:
    settled = job.settled()
    assert settled == job.settled() == msgspec.json.decode(msgspec.json.encode(settled), type=Segment)
    first = make_plan(settled).id
    write_network(network, MEANS[..., ::-1, :, :] / np.float32(2))
    assert make_plan(job.settled()).id != first
    forget()
    with pytest.raises(BadUsage, match="has changed since the job was made"):
        settled.prepare()
    assert not Path(job.dest).exists()


def test_a_network_is_copied_once(job: Segment) -> None:
    settled = job.settled()
    settled.prepare()
    (copy,) = Path(job.dest, MODELS).iterdir()
    before = copy.stat()
    settled.prepare()
    assert copy.stat().st_mtime_ns == before.st_mtime_ns
    assert copy.stat().st_ino == before.st_ino


@pytest.mark.parametrize("apart", ["net.onnx.data", ""])
def test_a_file_that_is_no_whole_network_is_refused_before_anything_is_written(
    job: Segment, network: Path, apart: str
) -> None:
    if apart:
        write_network(network, MEANS, apart=apart)
    else:
        network.write_text("no network at all")
    said = "lacks its weights, which lie in 'net.onnx.data'" if apart else "net.onnx is no ONNX file"
    with pytest.raises(BadUsage, match=f"--predict: the step onnx refuses this: .*{said}"):
        job.settled().prepare()
    assert not Path(job.dest).exists()


def marked(prediction: Any, mask: Any, *, marks: Annotated[StepFile, "A file."]) -> Any:
    """As many labels as a file has letters."""
    del mask
    labels = np.arange(prediction[..., 0].size, dtype=np.uint32).reshape(prediction.shape[:3])
    found: Any = labels % len(marks.read()) + 1
    return found.astype(np.uint32)


def test_any_step_may_carry_a_file(job: Segment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marked.__module__ = OWN
    monkeypatch.setattr(own_steps, "marked", marked, raising=False)
    (tmp_path / "marks").write_text("abc")
    labelled = msgspec.structs.replace(
        job, predict=own("darkness"), output="labels", data_type="uint8", agglomerate=(), halo=(0, 0, 0)
    )
    named = Steps(supervoxels=own("marked", marks=str(tmp_path / "marks")))
    for given in ({"supervoxels": named.supervoxels}, {"steps": named}):  # on the command line, or in a file
        (tmp_path / "marks").write_text("abc")
        settled = msgspec.structs.replace(labelled, dest=f"{job.dest}-{next(iter(given))}", **given).settled()
        settled.prepare()
        (tmp_path / "marks").unlink()
        run(msgspec.json.decode(msgspec.json.encode(settled), type=Segment))
        assert any(name.startswith(MODELS) for name in blocks_of(settled.dest))
        assert assemble(settled.dest).max() & 0xFFFFFF == 3
