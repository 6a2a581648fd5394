"""`skeleton rm`: the skeletons that a layer names go, and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from layers.copies import do
from layers.make import files_of
from skeletons.skeletal_layers import FORMS, make_empty, make_skeletal

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.tasks.mesh.rm import Rm as MeshRm
from teravox.tasks.skeleton.rm import Rm

OURS = ("info", "provenance", "ledger/", "skeletons/")


def make(folder: Path, form: str = "sharded") -> str:
    """A layer with skeletons, and with files beside and among them."""
    path = make_skeletal(folder, form).path
    for name in (
        "skeleton.fragments/0123456789abcdef/0-8_0-8_0-8.frags",
        "skeletons2/1",
        "skeletons.notes",
        "mesh/1:0",
        "skeletons/0-8_0-8_0-8.spatial",
        "skeletons/deep/down/7",
        "skeletons/ä",
    ):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("something")
    return path


def others(path: str) -> dict[str, bytes]:
    return {name: data for name, data in files_of(path).items() if not name.startswith(OURS)}


def info_of(path: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(Path(path, "info").read_text())
    return raw


@pytest.mark.parametrize("form", FORMS)
def test_all_of_the_skeletons_go_and_nothing_else(tmp_path: Path, form: str) -> None:
    path = make(tmp_path, form)
    kept, info = others(path), info_of(path)
    assert main(["skeleton", "rm", path, "--yes", "--quiet"]) == 0
    assert others(path) == kept
    assert not (tmp_path / "skeletons").exists()
    del info["skeletons"]
    assert info_of(path) == info
    assert "skeleton rm" in (tmp_path / "provenance").read_text()


def test_the_info_never_names_what_is_half_removed(tmp_path: Path) -> None:
    path = make(tmp_path, "legacy")
    job = Rm(path)
    before = files_of(path)
    job.prepare()
    assert {k: v for k, v in files_of(path).items() if k != "info"} == {k: v for k, v in before.items() if k != "info"}
    for piece in job.pieces():
        assert "skeletons" not in info_of(path)
        job.run(piece)
    assert [name for name in files_of(path) if name.startswith("skeletons/")] == ["skeletons/info"]
    job.finish()
    assert set(info_of(path)) & {"skeletons", "removed_skeletons"} == set()


def test_it_can_be_begun_again_at_any_moment(tmp_path: Path) -> None:
    path = make(tmp_path)
    kept = others(path)
    job = Rm(path)
    first = list(job.pieces())
    job.prepare()
    job.run(first[3])
    assert list(job.pieces()) == first
    do(Rm(path), lambda pieces: random.sample([*pieces, *pieces], 2 * len(pieces)))
    job.finish()
    assert others(path) == kept
    assert not (tmp_path / "skeletons").exists()


def test_a_removal_of_meshes_and_one_of_skeletons_do_not_meet(tmp_path: Path) -> None:
    path = make(tmp_path)
    (tmp_path / "mesh/info").write_text('{"@type": "neuroglancer_legacy_mesh"}')
    (tmp_path / "info").write_text(json.dumps(info_of(path) | {"mesh": "mesh"}))
    meshes, skeletons = MeshRm(path), Rm(path)
    meshes.prepare()
    skeletons.prepare()
    for piece in meshes.pieces():
        meshes.run(piece)
    assert [name for name in files_of(path) if name.startswith("skeletons/") and name.endswith(".shard")]
    meshes.finish()
    assert info_of(path)["removed_skeletons"] == "skeletons"
    for one in skeletons.pieces():
        skeletons.run(one)
    skeletons.finish()
    assert not {"mesh", "skeletons", "removed_mesh", "removed_skeletons"} & set(info_of(path))
    assert not {name for name in files_of(path) if name.startswith(("mesh/", "skeletons/"))}


@pytest.mark.parametrize("dir", ["../seg", "/tmp", "4_4_40", ".", "ledger", "", "nowhere", "skeletons/..", "mesh"])
def test_what_is_no_folder_of_skeletons_is_refused(tmp_path: Path, dir: str) -> None:
    path = make(tmp_path / "seg")
    (tmp_path / "seg/info").write_text(json.dumps(info_of(path) | {"mesh": "mesh"}))
    before = files_of(path)
    with pytest.raises((BadUsage, BadInput), match=r"cannot hold skeletons|is no key within|has no skeletons in"):
        Rm(path, dir=dir).prepare()
    assert files_of(path) == before


def test_it_says_what_goes_and_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path)
    before = files_of(path)
    assert main(["skeleton", "rm", path]) == 2
    said = capsys.readouterr().err
    assert (
        f"This removes from file://{path}, for ever: the sharded skeletons in skeletons, which its info names (6 files, "
        in said
    )
    assert files_of(path) == before


def test_skeletons_that_are_named_again_stay(tmp_path: Path) -> None:
    path = make(tmp_path)
    job = Rm(path)
    pieces = list(job.pieces())
    job.prepare()
    (tmp_path / "info").write_text(json.dumps(info_of(path) | {"skeletons": "skeletons"}))
    before = files_of(path)
    for piece in pieces:
        with pytest.raises(BadInput, match="names skeletons again, so new skeletons lie there"):
            job.run(piece)
    assert files_of(path) == before


def test_a_layer_without_skeletons_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no skeletons: its info names none"):
        Rm(make_empty(tmp_path)).prepare()
