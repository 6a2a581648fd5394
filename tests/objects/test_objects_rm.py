"""`mesh rm` and `skeleton rm`: what a layer names goes, and nothing else; the layer never names what is half removed."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from layers.copies import do, info_of
from layers.make import files_of
from objects import both_sorts as sorts
from objects.both_sorts import MESHES, SKELETONS, Objects, both_sorts, every_form, make_target

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage

BESIDE = ("{}.fragments/0123456789abcdef/0-8_0-8_0-8.frags", "{}2/1:0", "{}.notes", "{}er", "notes.txt")
AMONG = ("0-8_0-8_0-8.spatial", "-8-8_0-8_0-8.spatial", "deep/down/7", "Zebra", "ä")


def make(objects: Objects, folder: Path, form: str = "sharded") -> str:
    """A layer with objects, and with files beside and among them."""
    path = sorts.make(objects, folder, form)
    word = objects.sort.word
    for name in (*(name.format(word) for name in BESIDE), *(f"{word}/{name}" for name in AMONG)):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("something")
    return path


def others(objects: Objects, path: str) -> dict[str, bytes]:
    ours = ("info", "provenance", "ledger/", f"{objects.sort.word}/")
    return {name: data for name, data in files_of(path).items() if not name.startswith(ours)}


def below(path: str, word: str) -> list[str]:
    return [name for name in files_of(path) if name.startswith(f"{word}/")]


@every_form
def test_all_of_the_objects_go_and_nothing_else(tmp_path: Path, objects: Objects, form: str) -> None:
    path, word = make(objects, tmp_path, form), objects.sort.word
    kept, info = others(objects, path), info_of(path)
    assert main([objects.sort.one, "rm", path, "--yes", "--quiet"]) == 0
    assert others(objects, path) == kept
    assert not (tmp_path / word).exists()
    del info[word]
    assert info_of(path) == info
    assert f"{objects.sort.one} rm" in (tmp_path / "provenance").read_text()


@both_sorts
def test_the_info_never_names_what_is_half_removed(tmp_path: Path, objects: Objects) -> None:
    path, word = make(objects, tmp_path, "legacy"), objects.sort.word
    job = objects.remove(path)
    before = files_of(path)
    job.prepare()
    assert {k: v for k, v in files_of(path).items() if k != "info"} == {k: v for k, v in before.items() if k != "info"}
    for piece in job.pieces():
        assert word not in info_of(path)
        assert (tmp_path / word / "info").is_file()
        job.run(piece)
    assert below(path, word) == [f"{word}/info"]
    job.finish()
    assert set(info_of(path)) & {word, f"removed_{word}"} == set()


@both_sorts
def test_it_can_be_begun_again_at_any_moment(tmp_path: Path, objects: Objects) -> None:
    path = make(objects, tmp_path)
    kept = others(objects, path)
    job = objects.remove(path)
    first = list(job.pieces())
    job.prepare()
    job.run(first[3])
    assert list(job.pieces()) == first
    again = objects.remove(path)
    again.prepare()
    for piece in random.sample([*first, *first], 2 * len(first)):
        again.run(piece)
    assert list(again.pieces()) == first
    again.finish()
    job.finish()
    assert others(objects, path) == kept
    assert not (tmp_path / objects.sort.word).exists()


@both_sorts
def test_objects_that_are_named_again_stay(tmp_path: Path, objects: Objects) -> None:
    path, word = make(objects, tmp_path), objects.sort.word
    job = objects.remove(path)
    pieces = list(job.pieces())
    job.prepare()
    (tmp_path / "info").write_text(json.dumps(info_of(path) | {word: word}))
    before = files_of(path)
    for piece in pieces:
        with pytest.raises(BadInput, match=f"names {word} again, so new {objects.sort.many} lie there"):
            job.run(piece)
    with pytest.raises(BadInput, match=f"names {word} again"):
        job.finish()
    assert files_of(path) == before


def test_a_removal_of_meshes_and_one_of_skeletons_do_not_meet(tmp_path: Path) -> None:
    path = make(SKELETONS, tmp_path)
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh/info").write_text('{"@type": "neuroglancer_legacy_mesh"}')
    (tmp_path / "mesh/1:0").write_text("something")
    (tmp_path / "info").write_text(json.dumps(info_of(path) | {"mesh": "mesh"}))
    meshes, skeletons = MESHES.remove(path), SKELETONS.remove(path)
    meshes.prepare()
    skeletons.prepare()
    for piece in meshes.pieces():
        meshes.run(piece)
    assert [name for name in below(path, "skeletons") if name.endswith(".shard")]
    meshes.finish()
    assert info_of(path)["removed_skeletons"] == "skeletons"
    for one in skeletons.pieces():
        skeletons.run(one)
    skeletons.finish()
    assert not {"mesh", "skeletons", "removed_mesh", "removed_skeletons"} & set(info_of(path))
    assert not below(path, "mesh") + below(path, "skeletons")


def test_another_folder_can_be_named(tmp_path: Path) -> None:
    path = make(MESHES, tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/info").write_text('{"@type": "neuroglancer_legacy_mesh"}')
    (tmp_path / "old/5:0").write_text("{}")
    info = info_of(path)
    do(MESHES.remove(path, dir="old"))
    assert not (tmp_path / "old").exists()
    assert info_of(path) == info
    assert (tmp_path / "mesh/info").is_file()


@pytest.mark.parametrize(
    "dir", ["../seg", "/tmp", "4_4_40", ".", "4_4_40/0-16", "ledger", "", "nowhere", "{}/..", "other"]
)
@both_sorts
def test_a_folder_of_something_else_is_refused(tmp_path: Path, objects: Objects, dir: str) -> None:
    path, word = make(objects, tmp_path / "seg"), objects.sort.word
    theirs = "skeletons" if word == "mesh" else "mesh"
    (tmp_path / "seg/other").mkdir()
    (tmp_path / "seg/info").write_text(json.dumps(info_of(path) | {theirs: "other"}))
    before = files_of(path)
    many = objects.sort.many
    with pytest.raises((BadUsage, BadInput), match=rf"cannot hold {many}|is no key within|has no {many}"):
        objects.remove(path, dir=dir.format(word)).prepare()
    assert files_of(path) == before


@pytest.mark.parametrize("named", ["4_4_40", "..", "../other", "info"])
@both_sorts
def test_an_info_that_names_something_else_is_not_believed(tmp_path: Path, objects: Objects, named: str) -> None:
    path = make(objects, tmp_path / "seg")
    make(objects, tmp_path / "other")
    (tmp_path / "seg/info").write_text(json.dumps(info_of(path) | {objects.sort.word: named}))
    before = files_of(str(tmp_path))
    with pytest.raises((BadUsage, BadInput), match=rf"cannot hold {objects.sort.many}|is no key within"):
        objects.remove(path).prepare()
    assert files_of(str(tmp_path)) == before


@both_sorts
def test_it_says_what_goes_and_asks(tmp_path: Path, objects: Objects, capsys: pytest.CaptureFixture[str]) -> None:
    path, many, word = make(objects, tmp_path), objects.sort.many, objects.sort.word
    before = files_of(path)
    assert main([objects.sort.one, "rm", path]) == 2
    said = capsys.readouterr().err
    files = len(below(path, word))
    assert (
        f"This removes from file://{path}, for ever: the sharded {many} in {word}, which its info names ({files} files, "
        in said
    )
    assert "Nobody is here to be asked" in said
    assert files_of(path) == before


@both_sorts
def test_a_layer_without_objects_says_so(tmp_path: Path, objects: Objects) -> None:
    with pytest.raises(BadInput, match=f"has no {objects.sort.many}: its info names none"):
        objects.remove(make_target(tmp_path)).prepare()
