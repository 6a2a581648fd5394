"""One file takes an image to a measured segmentation with meshes and skeletons; what is done stays done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cloudvolume import CloudVolume
from faults.killing import differing, tree_of
from pipelines.at_once import Bench
from segmentation.whole import do, draw_tissue

from teravox.cli.main import main
from teravox.tasks.stitch.relabel import Relabel

Run = Callable[..., dict[str, Any]]
PYRAMID = {"em", "segment", "stitch auto", "image downsample"}

FILE = """
[vars]
out = "./brain"
rule = "medium"

[[step]]
name = "em"
do = "create"
source = "./em.npy"
dest = "{out}/em"
resolution = [10, 10, 10]
chunk_size = [32, 32, 32]

[[step]]
name = "truth"
do = "create"
after = []
source = "./truth.npy"
dest = "{out}/truth"
type = "segmentation"
resolution = [10, 10, 10]
chunk_size = [32, 32, 32]

[[step]]
do = "segment"
after = ["em"]
source = "{out}/em"
dest = "{out}/seg"
shape = [32, 32, 32]
halo = [8, 8, 8]

[[step]]
do = "stitch auto"
layer = "{out}/seg"
rule = "{rule}"
overwrite = true

[[step]]
do = "evaluate"
after = ["stitch auto", "truth"]
a = "{out}/truth"
b = "{out}/seg"
dest = "{out}/report"

[[step]]
do = "image downsample"
after = ["stitch auto"]
layer = "{out}/seg"
num_mips = 1

[[step]]
do = "mesh forge"
layer = "{out}/seg"

[[step]]
do = "mesh merge"
layer = "{out}/seg"

[[step]]
do = "skeleton forge"
after = ["image downsample"]
layer = "{out}/seg"

[[step]]
do = "skeleton merge"
layer = "{out}/seg"

[scene]
layers = ["{out}/em", "{out}/seg"]
output = "{out}/scene.json"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image and its truth, and a file that says all that is to be made of them."""
    folder = tmp_path_factory.mktemp("brain")
    tissue = draw_tissue((48, 48, 40), 4, 12)
    np.save(folder / "em.npy", tissue.image)
    np.save(folder / "truth.npy", tissue.truth.astype(np.uint64))
    (folder / "brain.toml").write_text(FILE)
    return folder


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        code = main(["run", str(folder / "brain.toml"), "--folder", str(folder), "--json", *words])
        out, err = capsys.readouterr()
        assert code == 0, err
        said: dict[str, Any] = json.loads(out)
        return said

    return run


def done_now(said: dict[str, Any]) -> list[str]:
    return [step["name"] for step in said["steps"] if step["state"] == "done" and not step["was_done"]]


def shown_of(folder: Path) -> dict[str, bytes]:
    """What readers see of the segmentation; the tables of each rule are kept beside it."""
    return {key: data for key, data in tree_of(str(folder / "brain/seg")).items() if not key.startswith("stitch/")}


def test_one_file_takes_an_image_to_objects_and_a_changed_rule_what_depends_on_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    said = run()
    assert len(done_now(said)) == 10
    assert all(step["state"] == "done" and step["tasks"] and step["cpu_seconds"] > 0 for step in said["steps"])
    seg = CloudVolume(f"file://{folder}/brain/seg", mip=0, progress=False)
    assert seg.shape[:3] == (48, 48, 40)
    assert len(seg.available_mips) == 2
    labels, counts = np.unique(seg[:], return_counts=True)
    largest = int(labels[1:][counts[1:].argmax()])
    assert len(seg.mesh.get(largest)[largest].faces) > 100
    assert (folder / "brain/seg/skeleton/info").exists()
    assert json.loads((folder / "brain/report/report.json").read_text())
    assert [layer["url"].rpartition("/")[2] for layer in said["layers"]] == ["em", "truth", "seg"]
    assert [layer["name"] for layer in json.loads((folder / "brain/scene.json").read_text())["layers"]] == ["em", "seg"]
    before = shown_of(folder)

    bench = Bench()
    bench.run(str(folder / "brain.toml"), {"rule": "none"}, wanted=PYRAMID)
    assert differing(shown_of(folder), before)
    bench.run(str(folder / "brain.toml"), wanted=PYRAMID)
    assert differing(shown_of(folder), before) == []
    do(Relabel(layer=f"file://{folder}/brain/seg", rule="none", overwrite=True))  # by somebody else
    assert differing(shown_of(folder), before)
    bench.run(str(folder / "brain.toml"), wanted=PYRAMID)
    assert differing(shown_of(folder), before) == []
    assert done_now(run()) == []  # the meshes are those of what is there again
