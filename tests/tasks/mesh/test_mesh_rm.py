"""`mesh rm`: the meshes that a layer names go, and nothing else; the layer never names what is half removed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from layers.copies import do
from layers.make import files_of
from meshes.meshed_layers import FORMS, make_meshed

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.tasks.mesh.rm import Rm

OURS = ("info", "provenance", "ledger/", "mesh/")
BESIDE = ("mesh.fragments/0123456789abcdef/0-8_0-8_0-8.frags", "mesh2/1:0", "notes.txt", "mesher")


def make(folder: Path, form: str = "sharded") -> str:
    """A layer with meshes, and with files beside and among them."""
    path = make_meshed(folder, form).path
    for name in (
        *BESIDE,
        "mesh/0-8_0-8_0-8.spatial",
        "mesh/-8-8_0-8_0-8.spatial",
        "mesh/deep/down/7",
        "mesh/Zebra",
        "mesh/ä",
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
def test_all_of_the_meshes_go_and_nothing_else(tmp_path: Path, form: str) -> None:
    path = make(tmp_path, form)
    kept, info = others(path), info_of(path)
    assert main(["mesh", "rm", path, "--yes", "--quiet"]) == 0
    assert others(path) == kept
    assert not (tmp_path / "mesh").exists()
    del info["mesh"]
    assert info_of(path) == info
    assert "mesh rm" in (tmp_path / "provenance").read_text()


def test_the_info_never_names_what_is_half_removed(tmp_path: Path) -> None:
    path = make(tmp_path, "legacy")
    job = Rm(path)
    before = files_of(path)
    job.prepare()
    assert {k: v for k, v in files_of(path).items() if k != "info"} == {k: v for k, v in before.items() if k != "info"}
    for piece in job.pieces():
        assert "mesh" not in info_of(path)
        assert (tmp_path / "mesh/info").is_file()
        job.run(piece)
    assert [str(file.relative_to(tmp_path)) for file in (tmp_path / "mesh").rglob("*") if file.is_file()] == [
        "mesh/info"
    ]
    job.finish()
    assert set(info_of(path)) & {"mesh", "removed_mesh"} == set()


def test_it_can_be_begun_again_at_any_moment(tmp_path: Path) -> None:
    path = make(tmp_path)
    kept = others(path)
    job = Rm(path)
    job.prepare()
    job.run(job.pieces()[3])
    do(Rm(path), lambda pieces: random.sample([*pieces, *pieces], 2 * len(pieces)))
    job.finish()
    assert others(path) == kept
    assert not (tmp_path / "mesh").exists()


def test_the_pieces_stay_the_same(tmp_path: Path) -> None:
    path = make(tmp_path)
    job = Rm(path)
    first = list(job.pieces())
    job.prepare()
    assert list(job.pieces()) == first
    for piece in first:
        job.run(piece)
    assert list(job.pieces()) == first


def test_meshes_that_are_named_again_stay(tmp_path: Path) -> None:
    path = make(tmp_path)
    job = Rm(path)
    pieces = list(job.pieces())
    job.prepare()
    (tmp_path / "info").write_text(json.dumps(info_of(path) | {"mesh": "mesh"}))
    before = files_of(path)
    for piece in pieces:
        with pytest.raises(BadInput, match="names mesh again"):
            job.run(piece)
    with pytest.raises(BadInput, match="names mesh again"):
        job.finish()
    assert files_of(path) == before


def test_another_folder_can_be_named(tmp_path: Path) -> None:
    path = make(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/info").write_text('{"@type": "neuroglancer_legacy_mesh"}')
    (tmp_path / "old/5:0").write_text("{}")
    info = info_of(path)
    do(Rm(path, dir="old"))
    assert not (tmp_path / "old").exists()
    assert info_of(path) == info
    assert (tmp_path / "mesh/info").is_file()


@pytest.mark.parametrize("dir", ["../seg", "/tmp", "4_4_40", ".", "4_4_40/0-16", "ledger", "", "nowhere", "mesh/.."])
def test_what_is_no_folder_of_meshes_is_refused(tmp_path: Path, dir: str) -> None:
    path = make(tmp_path / "seg")
    before = files_of(path)
    with pytest.raises(
        (BadUsage, BadInput), match=r"cannot hold meshes|is no key within|has no meshes in|has no meshes"
    ):
        Rm(path, dir=dir).prepare()
    assert files_of(path) == before


@pytest.mark.parametrize("named", ["4_4_40", "..", "../other", "info"])
def test_an_info_that_names_something_else_is_not_believed(tmp_path: Path, named: str) -> None:
    path = make(tmp_path / "seg")
    make(tmp_path / "other")
    (tmp_path / "seg/info").write_text(json.dumps(info_of(path) | {"mesh": named}))
    before = files_of(str(tmp_path))
    with pytest.raises((BadUsage, BadInput), match=r"cannot hold meshes|is no key within"):
        Rm(path).prepare()
    assert files_of(str(tmp_path)) == before


def test_it_says_what_goes_and_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path)
    before = files_of(path)
    assert main(["mesh", "rm", path]) == 2
    said = capsys.readouterr().err
    assert (
        f"This removes from file://{path}, for ever: the sharded meshes in mesh, which its info names (7 files, "
        in said
    )
    assert "Nobody is here to be asked" in said
    assert files_of(path) == before


def test_a_layer_without_meshes_says_so(tmp_path: Path) -> None:
    path = make(tmp_path)
    do(Rm(path))
    with pytest.raises(BadInput, match="has no meshes: its info names none"):
        Rm(path).prepare()
