"""`mesh clean`: fragments and earlier meshes of ours go; what is named, and what others made, stays."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from layers.copies import do
from layers.make import files_of
from meshes.meshed_layers import make_meshed

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.objects.forged import write_forged
from teravox.tasks.mesh.clean import Clean

OLD, NEW = "0123456789abcdef", "fedcba9876543210"
STALE = "mesh_0a1b2c3d"
OURS = ("info", "provenance", "ledger/")


def put(folder: Path, *names: str, text: str = "something") -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def make(folder: Path) -> str:
    """A layer with meshes, with two forges, meshes of an earlier merge, and things of others."""
    path = make_meshed(folder, "sharded").path
    put(folder, f"mesh.fragments/{OLD}/0-8_0-8_0-8.frags", f"mesh.fragments/{NEW}/0-8_0-8_0-8.frags")
    put(folder, f"mesh.fragments/{NEW}/-8-0_0-8_0-8.frags", f"mesh.fragments/{NEW}/merge-0123.json")
    put(folder, f"{STALE}/info", text='{"@type": "neuroglancer_multilod_draco", "teravox": {"job": "0a1b2c3d"}}')
    put(folder, f"{STALE}/7", f"{STALE}/7.index", f"{STALE}/ledger/ab/job.json")
    put(folder, "mesh_11111111/info", text='{"@type": "neuroglancer_legacy_mesh"}')
    put(folder, "mesh_11111111/1:0", "mesh_old/1:0", "meshes/2", "mesh.notes", "mesh.fragments/notes.txt")
    put(folder, "mesh_22222222/1:0", "mesh.fragments/0123/7.frags")
    layer = Layer.open(path, fresh=True)
    write_forged(
        layer,
        Forged(
            id=NEW,
            dir="mesh",
            mip=0,
            resolution=(4, 4, 40),
            bounds=layer.bounds(0),
            shape=(8, 8, 8),
            cell=(8, 8, 8),
            max_error=1,
            simplify=True,
            open_edge=False,
        ),
    )
    return path


def names(path: str) -> set[str]:
    return {name for name in files_of(path) if not name.startswith(OURS)}


def within(*folders: str) -> tuple[str, ...]:
    return tuple(f"{folder}/" for folder in folders)


def test_fragments_and_earlier_meshes_go(tmp_path: Path) -> None:
    path = make(tmp_path)
    before = names(path)
    assert main(["mesh", "clean", path, "--yes", "--quiet"]) == 0
    gone = (*within(f"mesh.fragments/{OLD}", f"mesh.fragments/{NEW}", STALE), "mesh.fragments/forged.json")
    assert names(path) == {name for name in before if not name.startswith(gone)}
    assert not (tmp_path / STALE).exists()
    assert json.loads((tmp_path / "info").read_text())["mesh"] == "mesh"


def test_the_last_fragments_can_be_kept(tmp_path: Path) -> None:
    path = make(tmp_path)
    before = names(path)
    do(Clean(path, keep_fragments=True))
    assert names(path) == {name for name in before if not name.startswith(within(f"mesh.fragments/{OLD}", STALE))}


def test_it_can_be_begun_again_at_any_moment(tmp_path: Path) -> None:
    path = make(tmp_path / "a")
    do(Clean(path))
    clean = names(path)
    again = make(tmp_path / "b")
    job = Clean(again)
    job.prepare()
    pieces = list(job.pieces())
    for piece in pieces[::3]:
        job.run(piece)
    assert list(job.pieces()) == pieces
    do(Clean(again), lambda pieces: random.sample([*pieces, *pieces], 2 * len(pieces)))
    job.run(pieces[0])
    job.finish()
    assert names(again) == clean


def test_nobody_finds_a_forge_whose_fragments_are_going(tmp_path: Path) -> None:
    path = make(tmp_path)
    job = Clean(path)
    job.prepare()
    assert not (tmp_path / "mesh.fragments/forged.json").exists()
    kept = Clean(make(tmp_path / "kept"), keep_fragments=True)
    kept.prepare()
    assert (tmp_path / "kept/mesh.fragments/forged.json").is_file()


def test_meshes_that_are_named_in_the_meantime_stay(tmp_path: Path) -> None:
    path = make(tmp_path)
    job = Clean(path)
    job.prepare()
    info = json.loads((tmp_path / "info").read_text())
    (tmp_path / "info").write_text(json.dumps(info | {"mesh": STALE}))
    before = {name for name in names(path) if name.startswith(STALE)}
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    assert {name for name in names(path) if name.startswith(STALE)} == before


def test_it_says_what_goes_and_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path)
    before = files_of(path)
    assert main(["mesh", "clean", path]) == 2
    said = capsys.readouterr().err
    assert f"fragments in mesh.fragments/{OLD} (1 file, 9 bytes)" in said
    assert f"fragments in mesh.fragments/{NEW} (3 files, 27 bytes)" in said
    assert f"meshes in {STALE} (4 files, " in said
    assert "--keep-fragments keeps them" in said
    assert files_of(path) == before


def test_where_nothing_is_left_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_meshed(tmp_path, "legacy").path
    before = names(path)
    assert main(["mesh", "clean", path, "--yes"]) == 0
    assert "There is nothing to clean up beside the meshes in mesh" in capsys.readouterr().out
    assert names(path) == before


@pytest.mark.parametrize("dir", ["../seg", "4_4_40", "ledger", ""])
def test_what_is_no_folder_of_meshes_is_refused(tmp_path: Path, dir: str) -> None:
    path = make(tmp_path / "seg")
    before = files_of(path)
    if not dir:
        assert Clean(path, dir=dir).pieces() == Clean(path).pieces()
        return
    with pytest.raises((BadUsage, BadInput), match=r"cannot hold meshes|is no key within"):
        Clean(path, dir=dir).prepare()
    assert files_of(path) == before
