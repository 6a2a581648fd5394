"""`teravox verify` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.running import Run
from layers.make import files_of, make_layer, voxels

CHUNK = "4_4_40/8-16_0-8_0-8"


@pytest.fixture
def layer(tmp_path: Path, run: Run) -> str:
    source = make_layer(tmp_path / "src", voxels((16, 16, 8), "uint32", labels=9), type="segmentation")
    assert run("image", "transfer", source, str(tmp_path / "layer"), "--num-mips", "1", "--quiet").code == 0
    return str(tmp_path / "layer")


def test_damage_is_told_with_exit_code_1_and_repaired(run: Run, layer: str) -> None:
    code, out, err = run("verify", layer)
    assert (code, err) == (0, "")
    assert out.endswith(f"file://{layer} is sound, as far as was looked.\n")
    before = files_of(layer)
    Path(layer, f"{CHUNK}.gz").unlink()
    code, out, err = run("verify", layer)
    assert (code, err) == (1, "")
    assert f"missing     {CHUNK}: it is not there, and a task has written it (image transfer)" in out
    assert f"teravox verify {layer} --repair" in out

    code, out, err = run("verify", layer, "--repair", "--quiet")
    assert (code, out, err) == (0, "", "")
    after = files_of(layer)
    assert {key: data for key, data in after.items() if "ledger/" not in key} == {
        key: data for key, data in before.items() if "ledger/" not in key
    }


def test_json_has_it_all(run: Run, layer: str) -> None:
    Path(layer, f"{CHUNK}.gz").write_bytes(b"")
    Path(layer, "4_4_40/stranger").write_bytes(b"x")
    code, out, _ = run("verify", layer, "--json", "--all", "--checksums", "--only", "images", "--mip", "0")
    said = json.loads(out)
    assert code == 1
    assert said["parts"] == ["mip 0"]
    assert said["found"] == {"truncated": 1, "unlisted": 1}
    by_key = {one["key"]: one for one in said["findings"]}
    assert by_key[CHUNK]["task"]["kind"] == "image transfer"
    assert by_key["4_4_40/stranger"]["task"] is None


def test_a_queue_gets_exactly_the_tasks_that_are_needed(run: Run, layer: str, tmp_path: Path) -> None:
    Path(layer, f"{CHUNK}.gz").unlink()
    Path(layer, "4_4_40/stranger").write_bytes(b"x")
    queue = str(tmp_path / "q")
    code, out, _ = run("verify", layer, "--repair", "--queue", queue)
    assert code == 1
    assert "not repaired 4_4_40/stranger: nothing calls for it" in out
    Path(layer, "4_4_40/stranger").unlink()
    code, out, _ = run("verify", layer, "--repair", "--queue", queue)
    assert code == 0
    assert f"1 task is in fq://{queue}. Work on them with: teravox execute {queue}\n" in out
    assert "waiting       1" in run("queue", "status", queue).out


def test_what_cannot_be_meant_is_refused(run: Run, layer: str, tmp_path: Path) -> None:
    for words, text in (
        (("--queue", "q"), "--queue: means nothing without --repair"),
        (("-p", "2"), "--parallel: means nothing without --repair"),
        (("--repair", "--queue", "q", "-p", "2"), "--parallel: means nothing with --queue"),
        (("--all", "--sample", "3"), "--sample: means nothing with --all"),
        (("--repair", "--region", "x"), "--region: means nothing without an SQS queue"),
        (("--only", "chunks"), "--only"),
    ):
        code, _, err = run("verify", layer, *words)
        assert code == 2
        assert text in err
    code, _, err = run("verify", "http://localhost:1/layer", "--repair")
    assert code == 2
    assert "can only be read" in err
    code, _, err = run("verify", str(tmp_path / "nothing"))
    assert code == 3
    assert "neither an info file nor a ledger" in err
    code, _, err = run("verify", layer, "--mip", "4")
    assert code == 2  # and not 1, which says that there is damage
    assert "--mip: " in err
    assert "has no mip 4 (it has 0 to 1)" in err


def test_long_lists_are_cut_off(run: Run, layer: str) -> None:
    for file in Path(layer, "4_4_40").iterdir():
        file.unlink()
    code, out, _ = run("verify", layer, "--limit", "2", "--quiet")
    assert code == 1
    assert out.splitlines()[2:] == ["… and 2 more; see all with --limit 4 or --json"]
