"""`teravox segment` and what goes with it, on the command line and by workers."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.running import SAMPLE, Run
from segmentation.segmenting import grey, image

from teravox.cli.catalog import Catalog
from teravox.cli.command import Call
from teravox.cli.commands.view import View
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.message import decode
from teravox.pipeline.registry import Registry
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.segmentation.steps import Step
from teravox.tasks.segment import Segment

LAB = '''"""Steps of a lab, and no kinds."""

import time
import numpy as np


def dark(gray, mask, *, low: float = 0.0):
    """How dark a voxel is."""
    return (1 - np.maximum(gray.astype(np.float32) - np.float32(low), 0) / 255)[..., None].astype(np.float32)


def hang(gray, mask):
    """Wait for ever in a library that keeps the interpreter."""
    import ctypes
    ctypes.PyDLL(None).sleep(60)
'''
BY_BUILT_INS = ("--supervoxels", "components", "--agglomerate", "none", "--shape", "8,8,8", "--halo", "2,2,2")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """A module of steps; its path."""
    (tmp_path / "lab_steps.py").write_text(LAB)
    yield str(tmp_path / "lab_steps.py")
    sys.modules.pop("lab_steps", None)


def test_a_name_may_be_both_a_kind_and_a_group(run: Run) -> None:
    catalog = Catalog(Registry())
    assert catalog.longest_match(["segment", "./em", "./seg"]) == "segment"
    assert catalog.longest_match(["segment", "plugins"]) == "segment plugins"
    assert catalog.longest_match(["segment", "try", "./em"]) == "segment try"
    assert run("segment", "--help").out.startswith("Usage: teravox segment SOURCE DEST")
    assert run("segment", "try", "--help").out.startswith("Usage: teravox segment try SOURCE BOX")
    assert "SOURCE is missing" in run("segment").err
    overview = run("--help").out
    assert "  segment …" in overview and "(plugins, try)" in overview


def test_a_kind_may_have_the_name_of_a_group(run: Run, tmp_path: Path) -> None:
    (tmp_path / "queue.py").unlink(missing_ok=True)
    (tmp_path / "skeleton.py").write_text(SAMPLE)
    try:
        assert "Usage: teravox skeleton LAYER" in run("--plugin", "skeleton.py", "skeleton", "--help").out
        assert "Usage: teravox skeleton merge" in run("--plugin", "skeleton.py", "skeleton", "merge", "--help").out
    finally:
        sys.modules.pop("skeleton", None)


def test_steps_are_listed_with_their_parameters(run: Run, lab: str) -> None:
    out = run("segment", "plugins").out
    assert "supervoxels:\n" in out and "  distance-watershed  " in out
    assert "lab_steps" not in out
    assert "lab_steps:dark" in run("--plugin", lab, "segment", "plugins").out
    out = run("--plugin", lab, "segment", "plugins", "lab_steps:dark").out
    assert "lab_steps:dark (your own)" in out and "low" in out and "(number; default 0.0)" in out
    assert "did you mean distance-watershed?" in run("segment", "plugins", "distance-watershet").err
    (said,) = json.loads(run("segment", "plugins", "size-filter", "--json").out)
    assert (said["step"], said["name"]) == ("agglomerate", "size-filter")
    assert {"name", "type", "description"} <= set(said["parameters"][0])


def test_a_block_is_tried_and_shown_with_image_and_prediction(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = image(tmp_path / "em", (20, 14, 9), offset=(1, 2, 3))
    shown: list[View] = []

    def look(self: View, call: Call) -> int:
        shown.append(self)
        prediction, labels = (Layer.open(url) for url in self.layer[1:])
        box = prediction.bounds(0)
        assert str(box) == "2,2,3:18,14,11" == str(labels.bounds(0))
        found = prediction.read(box, 0)[..., 0]
        np.testing.assert_array_equal(found, 255 - grey((20, 14, 9))[1:17, :12, :8, 0])
        assert labels.read(box, 0).max() > 0
        return 0

    monkeypatch.setattr(View, "run", look)
    code, out, err = run(
        "segment", "try", source, "2,2,3:18,14,11", "--predict", "invert", *BY_BUILT_INS[:4], "--no-browser"
    )
    assert (code, err) == (0, "")
    assert "labels; predicted in" in out
    (view,) = shown
    assert view.layer[0].endswith("/em") and not view.browser
    assert view.position == (10.0, 8.0, 7.0)
    assert not Path(view.layer[1].removeprefix("file://")).exists()


def test_steps_of_a_file_are_carried_by_the_message_and_options_win(run: Run, tmp_path: Path) -> None:
    source = image(tmp_path / "em", (9, 8, 7))
    steps = tmp_path / "steps.toml"
    steps.write_text('[predict]\nname="invert"\n[supervoxels]\nname="components"\n[[agglomerate]]\nname="none"\n')
    words = (
        "segment",
        source,
        str(tmp_path / "seg"),
        "--steps",
        str(steps),
        "--supervoxels",
        "components:threshold=0.4",
    )
    assert run(*words, "--queue", "./q").code == 0
    steps.unlink()
    (message,) = [file for file in (tmp_path / "q").rglob("*") if file.is_file() and b'"kind"' in file.read_bytes()]
    job: Any = decode(message.read_bytes(), Registry()).job
    assert isinstance(job, Segment)
    assert job.steps is not None
    assert (job.steps.predict, job.supervoxels) == (Step("invert"), Step("components", {"threshold": 0.4}))
    assert run("execute", "./q", "--exit-on-empty").code == 0
    assert Segmented.open(str(tmp_path / "seg")).core(0).shape == (9, 8, 7)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--predict", "membran"], "--predict: there is no step 'membran'; did you mean membrane?"),
        (["--predict", "invert:lo=2"], "--predict: the step invert has no parameter 'lo'"),
        (["--predict", "a,b"], "--predict: expected one step like NAME:KEY=VALUE,…, got 2"),
        (["--steps", "gone.toml"], "--steps: cannot read"),
        (["--predict", "lab_elsewhere:dark"], "runs only where its module is named: teravox --plugin lab_elsewhere"),
        (["--plugin-timeout", "0"], "--plugin-timeout: must be more than 0s, got 0s"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(run: Run, tmp_path: Path, words: list[str], sentence: str) -> None:
    source = image(tmp_path / "em", (9, 8, 7))
    code, out, err = run("segment", source, "./seg", *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert not (tmp_path / "seg").exists()


def test_workers_run_steps_of_ones_own_only_where_their_module_is_named(run: Run, tmp_path: Path, lab: str) -> None:
    source = image(tmp_path / "em", (9, 8, 7))
    words = ("segment", source, str(tmp_path / "seg"), "--predict", "lab_steps:dark:low=9", *BY_BUILT_INS)
    assert run("--plugin", lab, *words, "--queue", "./q").code == 0
    code, _, err = run("execute", "./q", "--exit-on-empty")
    assert code == 1
    assert "lab_steps:dark is a step of your own, and runs only where its module is named" in err
    assert run("queue", "retry", "./q", "--yes").code == 0
    assert run("--plugin", lab, "execute", "./q", "--exit-on-empty").code == 0
    assert Segmented.open(str(tmp_path / "seg")).used(0)


def test_a_step_that_hangs_in_a_library_is_ended(run: Run, tmp_path: Path, lab: str) -> None:
    source = image(tmp_path / "em", (4, 4, 4))
    words = ("segment", source, "./seg", "--predict", "lab_steps:hang", "--plugin-timeout", "0.5s", "--queue", "./q")
    assert run("--plugin", lab, *words).code == 0
    code, _, err = run("--plugin", lab, "execute", "./q", "--exit-on-empty", "--tries", "1")
    assert code == 1
    assert "the step lab_steps:hang (predict) at the block 0,0,0:4,4,4, which may take 0.5 s (--plugin-timeout)" in err
    assert re.search(r"lab_steps.py.*line \d+ in hang", run("queue", "failed", "./q", "--json").out)
