"""`mesh transfer`, `skeleton transfer` and their short forms: what both sorts of objects have in common."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from layers.copies import do, info_of
from layers.make import files_of
from meshes.meshed_layers import BIG
from objects.both_sorts import BOTH, Objects, both_sorts, every_form, make, make_target

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage

WAYS = [(objects, source, dest) for objects in BOTH for source in objects.forms for dest in objects.forms]


@pytest.mark.parametrize(
    ("objects", "source", "dest"), WAYS, ids=[f"{one.sort.many}-{source}-{dest}" for one, source, dest in WAYS]
)
def test_any_order_and_repetition_give_the_same_bytes(tmp_path: Path, objects: Objects, source: str, dest: str) -> None:
    made = make(objects, tmp_path / "seg", source)
    once = objects.transfer(made, make_target(tmp_path / "once"), format=dest)
    do(once)
    before = files_of(once.dest)
    job = objects.transfer(made, make_target(tmp_path / "often"), format=dest)
    do(job, lambda pieces: random.sample([*pieces, *pieces], 2 * len(pieces)))
    marked = {f"{objects.sort.word}/info", "provenance"}  # which name the job, and that is another one
    assert {k: v for k, v in files_of(job.dest).items() if k not in marked} == {
        k: v for k, v in before.items() if k not in marked
    }
    after = files_of(job.dest)
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    assert {k: v for k, v in files_of(job.dest).items() if k != "provenance"} == {
        k: v for k, v in after.items() if k != "provenance"
    }


@both_sorts
def test_the_old_objects_are_named_until_all_new_ones_are_there(tmp_path: Path, objects: Objects) -> None:
    made, old = (make(objects, tmp_path / name, objects.forms[-2]) for name in ("seg", "dest"))
    before, word = files_of(old), objects.sort.word
    job = objects.transfer(made, old, format="sharded")
    job.prepare()
    for piece in job.pieces():
        assert {key: data for key, data in files_of(old).items() if key in before} == before
        assert info_of(old)[word] == word
        job.run(piece)
    job.finish()
    assert info_of(old)[word].startswith(f"{word}_")
    assert objects.read(old) == objects.labels


@every_form
def test_some_labels_can_be_chosen(tmp_path: Path, objects: Objects, form: str) -> None:
    made = make(objects, tmp_path / "seg", form)
    for dest in objects.forms:
        job = objects.transfer(made, make_target(tmp_path / dest), format=dest, labels=(BIG, 7, 7))
        do(job)
        assert objects.read(job.dest) == [7, BIG]


@every_form
def test_labels_without_an_object_are_refused(tmp_path: Path, objects: Objects, form: str) -> None:
    made = make(objects, tmp_path / "seg", form)
    job = objects.transfer(made, make_target(tmp_path / "dest"), labels=(7, 8, 13))
    before = files_of(job.dest)
    with pytest.raises(BadUsage, match=f"--labels: .*/{objects.sort.word} has no {objects.sort.one} of 8, 13"):
        job.prepare()
    assert files_of(job.dest) == before


@both_sorts
def test_a_layer_is_made_where_there_is_none(tmp_path: Path, objects: Objects) -> None:
    made, word = make(objects, tmp_path / "seg"), objects.sort.word
    theirs = info_of(made)
    other = {"mesh": "skeletons", "skeletons": "mesh"}[word]
    (tmp_path / "seg/info").write_text(json.dumps(theirs | {other: "other"}))
    assert main([objects.sort.one, "transfer", made, str(tmp_path / "public"), "--quiet"]) == 0
    assert info_of(tmp_path / "public") == theirs
    assert objects.read(str(tmp_path / "public")) == objects.labels


@both_sorts
def test_a_folder_can_be_chosen(tmp_path: Path, objects: Objects) -> None:
    made = objects.make(tmp_path / "seg", objects.forms[-2], "own")
    job = objects.transfer(made, make_target(tmp_path / "dest"), dir="deep/fine")
    do(job)
    assert info_of(job.dest)[objects.sort.word] == "deep/fine"
    assert objects.read(job.dest) == objects.labels


@pytest.mark.parametrize("dir", ["../out", "4_4_40", "ledger", "4_4_40/deep", "info", "other"])
@both_sorts
def test_folders_that_cannot_be_are_refused(tmp_path: Path, objects: Objects, dir: str) -> None:
    made = make(objects, tmp_path / "seg", "legacy")
    job = objects.transfer(made, make_target(tmp_path / "dest"), dir=dir)
    other = {"mesh": "skeletons", "skeletons": "mesh"}[objects.sort.word]
    (tmp_path / "dest/info").write_text(json.dumps(info_of(job.dest) | {other: "other"}))
    before = files_of(job.dest)
    with pytest.raises((BadUsage, BadInput), match=rf"cannot hold {objects.sort.many}|is no key within"):
        job.prepare()
    assert files_of(job.dest) == before


@both_sorts
def test_what_cannot_be_copied_is_refused(tmp_path: Path, objects: Objects) -> None:
    made, many = make(objects, tmp_path / "seg", "legacy"), objects.sort.many
    with pytest.raises(BadUsage, match="is the layer that is read"):
        objects.transfer(made, made).prepare()
    with pytest.raises(BadUsage, match=rf"--memory: 1\.0 MB are too little for {many}; give it 470 MB or more"):
        objects.transfer(made, str(tmp_path / "dest"), memory_limit=1_000_000).prepare()
    with pytest.raises(BadInput, match=f"has no {many}: its info names none"):
        objects.transfer(make_target(tmp_path / "plain"), str(tmp_path / "dest")).prepare()


@both_sorts
def test_to_shard_is_the_short_form(tmp_path: Path, objects: Objects) -> None:
    made = make(objects, tmp_path / "seg", objects.forms[-2])
    short = objects.shard(made, make_target(tmp_path / "short"))
    long = objects.transfer(made, make_target(tmp_path / "long"), format="sharded")
    do(short)
    do(long)
    shards = [name for name in files_of(short.dest) if name.endswith(".shard")]
    assert shards
    for name in shards:
        assert files_of(short.dest)[name] == files_of(long.dest)[name]
    assert short.outputs(short.pieces()[0])[0] in shards


@every_form
def test_an_empty_source_gives_an_empty_copy(tmp_path: Path, objects: Objects, form: str) -> None:
    made = make(objects, tmp_path / "seg", form)
    for file in (tmp_path / "seg" / objects.sort.word).iterdir():
        if file.name != "info":
            file.unlink()
    for dest in objects.forms:
        job = objects.transfer(made, make_target(tmp_path / dest), format=dest)
        do(job)
        assert objects.read(job.dest) == []
