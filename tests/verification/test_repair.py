"""Repair: what it does again, in which order, and what it refuses with which words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import make_layer, voxels
from verification.recorded import do_recorded, findings, said, verified
from verification.repairing import Kept, contents, damage, repair, work_here

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.verification.look import Closeness
from teravox.pipeline.verification.redo import count, is_independent, redo_elsewhere
from teravox.pipeline.verification.repair import plan_repair
from teravox.pipeline.verification.verify import Progress, open_look, verify
from teravox.pipeline.worker.settings import WorkerSettings

CHUNK = "4_4_40/0-8_0-8_0-8"


@pytest.fixture
def source(tmp_path: Path) -> str:
    return make_layer(tmp_path / "src", voxels((32, 32, 8), "uint8"))


@pytest.fixture
def layer(tmp_path: Path, source: str) -> Path:
    """A copy in four pieces, and a mip in four."""
    do_recorded("image transfer", source=source, dest=str(tmp_path / "layer"), shape=(16, 16, 8))
    do_recorded("image downsample", layer=str(tmp_path / "layer"), num_mips=1, shape=(16, 16, 8))
    return tmp_path / "layer"


def ledger_of(layer: Path, kind: str) -> Path:
    (folder,) = [
        file.parent for file in layer.glob("ledger/*/job.json") if json.loads(file.read_text())["kind"] == kind
    ]
    return folder


def test_what_is_read_is_put_right_before_what_is_made_of_it(layer: Path) -> None:
    provenance = layer / "provenance"
    provenance.write_text(provenance.read_text().replace('"date": "20', '"date": "19'))
    kept = Kept(layer)  # the provenance, too, is to say afterwards what it said before
    damage(layer, CHUNK, "delete", 0)
    damage(layer, "8_8_40/0-8_0-8_0-8", "cut", 0)
    look = open_look(str(layer), Closeness(), Registry())
    plan = plan_repair(look, verify(look, (), Progress()).findings)
    assert [(redo.job.record.kind, count(redo), is_independent(redo)) for redo in plan.redo] == [
        ("image transfer", 1, True),
        ("image downsample", 1, False),
    ]
    repaired = repair(str(layer))
    assert (repaired.verified.is_sound, repaired.tasks, repaired.refused) == (True, 2, [])
    assert contents(layer) == kept.contents


def test_tasks_whose_objects_are_written_over_are_done_again_after_that(tmp_path: Path, source: str) -> None:
    other = make_layer(tmp_path / "other", voxels((32, 32, 8), "uint8", seed=1))
    layer = tmp_path / "layer"
    do_recorded("image transfer", source=source, dest=str(layer), shape=(32, 16, 8))
    part = {"min": [16, 0, 0], "max": [32, 8, 8]}
    do_recorded("image transfer", source=other, dest=str(tmp_path / "part"), bounds=part, shape=(8, 8, 8))
    late = make_layer(tmp_path / "late", Layer.open(other).read(Layer.open(other).bounds(0), 0))
    do_recorded("image transfer", source=late, dest=str(layer), shape=(8, 8, 8), leave_out=range(4, 16))
    shutil.rmtree(ledger_with_source(layer, late) / "job.json", ignore_errors=True)
    kept = Kept(layer)
    damage(layer, "4_4_40/0-8_8-16_0-8", "delete", 0)  # of the first job, whose piece covers what the second one wrote
    look = open_look(str(layer), Closeness(), Registry())
    found = [finding for finding in verify(look, (), Progress()).findings if finding.what == "missing"]
    plan = plan_repair(look, found)
    assert [(redo.job.record.job["source"], count(redo)) for redo in plan.redo] == [(source, 1), (late, 4)]
    assert kept.contents.keys() - contents(layer).keys() == {"4_4_40/0-8_8-16_0-8.gz"}


def ledger_with_source(layer: Path, source: str) -> Path:
    (folder,) = [
        file.parent
        for file in layer.glob("ledger/*/job.json")
        if json.loads(file.read_text())["job"]["source"] == source
    ]
    return folder


def test_a_mip_is_not_made_of_what_nobody_can_put_right(tmp_path: Path) -> None:
    layer = Path(make_layer(tmp_path / "layer", voxels((32, 32, 8), "uint8")))
    do_recorded("image downsample", layer=str(layer), num_mips=1, shape=(16, 16, 8))
    whole = contents(layer)
    damage(layer, CHUNK, "cut", 0)  # CloudVolume has written it
    damage(layer, "8_8_40/0-8_0-8_0-8", "delete", 0)  # made of that
    damage(layer, "8_8_40/8-16_8-16_0-8", "delete", 0)  # not made of that
    repaired = repair(str(layer))
    assert repaired.tasks == 1
    assert (layer / "8_8_40/8-16_8-16_0-8.gz").read_bytes() == whole["8_8_40/8-16_8-16_0-8.gz"]
    assert not (layer / "8_8_40/0-8_0-8_0-8.gz").exists()
    told = {one.key: one.why for one in repaired.refused}
    assert "no job of the ledger has written it" in told[CHUNK]
    assert any(f"reads {CHUNK}, which is broken" in why for why in told.values())


def test_a_job_whose_options_were_hidden_is_refused_with_its_command(layer: Path) -> None:
    file = ledger_of(layer, "image transfer") / "job.json"
    raw = json.loads(file.read_text())
    raw["job"]["source"] = "https://***@example.org/layer"
    raw["command"] = "teravox image transfer https://***@example.org/layer ./layer"
    file.write_text(json.dumps(raw))
    damage(layer, CHUNK, "delete", 0)
    (one,) = repair(str(layer)).refused
    assert one.key == CHUNK
    assert "has not kept all options" in one.why
    assert raw["command"] in one.why


def test_a_layer_that_was_moved_is_verified_and_refuses_to_be_repaired(layer: Path) -> None:
    moved = layer.with_name("moved")
    layer.rename(moved)
    assert findings(str(moved)) == []
    damage(moved, CHUNK, "delete", 0)
    (one,) = repair(str(moved)).refused
    assert "the layer was moved or copied" in one.why


def test_a_source_that_has_gone_is_told(layer: Path, source: str) -> None:
    damage(layer, CHUNK, "delete", 0)
    shutil.rmtree(source)
    repaired = repair(str(layer))
    assert not repaired.verified.is_sound
    assert any("there is no layer at" in one.why for one in repaired.refused)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_job_that_stopped_half_way_is_done_to_its_end(tmp_path: Path, source: str, is_lost: bool) -> None:
    layer = tmp_path / "layer"
    options: dict[str, Any] = {"source": source, "dest": str(layer), "shape": (16, 16, 8)}
    do_recorded("image transfer", **options, leave_out=[1, 2], finish=False)
    if is_lost:
        (layer / CHUNK).with_suffix(".gz").unlink()
    found = verified(str(layer))
    assert found.found["missing"] == 8 + is_lost
    assert found.found["incomplete"] == 1
    repaired = repair(str(layer))
    assert (repaired.verified.is_sound, repaired.tasks) == (True, 2 + is_lost)
    theirs = {name: data for name, data in contents(Path(source)).items() if name.startswith("4_4_40")}
    assert theirs.items() <= contents(layer).items()
    assert "image transfer" in (layer / "provenance").read_text()


def test_an_end_that_was_not_reached_is_done(tmp_path: Path, source: str) -> None:
    layer = tmp_path / "layer"
    do_recorded("image transfer", source=source, dest=str(layer), finish=False)
    (found,) = findings(str(layer))
    assert (found.what, found.sentence) == ("incomplete", "image transfer: all pieces are done, and its end is not")
    kept = Kept(layer)
    repaired = repair(str(layer))
    assert (repaired.verified.is_sound, repaired.tasks) == (True, 0)
    assert (layer / "provenance").exists()

    look = open_look(str(kept.put_back()), Closeness(), Registry())
    (redo,) = plan_repair(look, verify(look, (), Progress()).findings).redo
    assert redo_elsewhere(redo, MemoryQueue(), lambda _: None) == 0
    assert findings(str(layer)) == []


def test_a_ledger_that_cannot_be_read_is_named_with_the_way_out(layer: Path) -> None:
    folder = ledger_of(layer, "image downsample")
    (file,) = folder.glob("*.jsonl-gz")
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 255
    file.write_bytes(bytes(data) * 2)
    found = findings(str(layer), "ledger")
    assert said(found) == {("undecodable", f"ledger/{folder.name}")}
    (one,) = [one for one in repair(str(layer)).refused if one.key == f"ledger/{folder.name}"]
    assert "remove that file" in one.why
    file.unlink()
    repaired = repair(str(layer))
    assert (repaired.verified.is_sound, repaired.tasks) == (True, 4)


def test_workers_at_a_queue_repair_it_too_and_more_than_once(layer: Path, tmp_path: Path) -> None:
    kept = Kept(layer)
    queue = FolderQueue(tmp_path / "q", create=True)
    for _ in range(2):
        damage(layer, CHUNK, "flip", 3)
        look = open_look(str(layer), Closeness(checksums=True), Registry())
        (redo,) = plan_repair(look, verify(look, (), Progress()).findings).redo
        steps: list[int] = []
        assert redo_elsewhere(redo, queue, steps.append) == sum(steps) == 1
        assert redo_elsewhere(redo, queue, steps.append) == 1  # it waits already
        assert work_here(queue, WorkerSettings()).done == 1
        assert (Path(layer) / CHUNK).with_suffix(".gz").read_bytes() == kept.contents[f"{CHUNK}.gz"]


def test_a_sound_layer_is_left_as_it_is(layer: Path) -> None:
    before = np.array([file.stat().st_mtime_ns for file in sorted(layer.rglob("*"))])
    repaired = repair(str(layer), checksums=True)
    assert (repaired.tasks, repaired.verified.is_sound) == (0, True)
    assert (before == [file.stat().st_mtime_ns for file in sorted(layer.rglob("*"))]).all()
