from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli.running import Run
from layers.make import make_layer, voxels

from teravox.cli.catalog import Catalog
from teravox.cli.commands.plan import Plan
from teravox.cli.fields import fields_of
from teravox.cli.plan_words import gather_command
from teravox.pipeline.planning.plan_file import read_plan
from teravox.pipeline.registry import Registry

EM = ("image", "downsample", "./em", "--num-mips", "1", "--shape", "16,16,16")


@pytest.fixture
def em(tmp_path: Path) -> Path:
    """A grey layer of 32 voxels each way in chunks of 8."""
    make_layer(tmp_path / "em", voxels((32, 32, 32), "uint8"), compress="")
    return tmp_path / "em"


@pytest.fixture
def seg(tmp_path: Path) -> Path:
    labels = voxels((32, 32, 32), "uint32", labels=5)
    make_layer(tmp_path / "seg", labels, type="segmentation", encoding="compressed_segmentation", chunk=(16, 16, 16))
    return tmp_path / "seg"


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def planned(run: Run, *words: str) -> dict[str, Any]:  # Any: a plan as JSON
    ran = run("plan", "--json", *words)
    assert (ran.code, ran.err) == (0, "")
    said: dict[str, Any] = json.loads(ran.out)
    return said


@pytest.mark.usefixtures("em")
def test_a_plan_is_what_the_run_then_takes_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    before = files(tmp_path)
    (step,) = planned(run, *EM)["steps"]
    assert files(tmp_path) == before

    assert run(*EM, "--quiet").code == 0

    assert step["tasks"] == 8
    lines = [line for file in (tmp_path / "em/ledger").rglob("*.jsonl-gz") for line in _records(file)]
    for name in ("bytes_in", "requests_in", "requests_out"):
        assert step[name] == sum(line[name] for line in lines), name
    assert step["exact_in"]
    assert not step["exact_out"]


@pytest.mark.usefixtures("em")
def test_options_of_plan_stand_before_or_behind_the_command(run: Run) -> None:
    behind = planned(run, *EM, "--workers", "4", "--place", "gcs")
    before = planned(run, "--workers=4", "--place", "gcs", *EM)

    assert (behind["workers"], behind["place"]) == (4, "gcs")
    assert {**behind, "made": ""} == {**before, "made": ""}


@pytest.mark.usefixtures("seg")
def test_an_option_that_both_have_is_of_the_command_behind_it(run: Run, tmp_path: Path) -> None:
    ran = run("plan", "--output", "plan.json", "image", "count", "./seg", "--output", "sizes.csv")

    assert ran.code == 0
    assert read_plan(str(tmp_path / "plan.json")).steps[0].kind == "image count"
    assert not (tmp_path / "sizes.csv").exists()


@pytest.mark.parametrize(
    ("words", "gathered"),
    [
        ("--workers 2 image count ./seg", ["--workers", "2", "image count ./seg"]),
        ("image ccl auto ./a ./b --workers=2 --keep", ["--workers=2", "image ccl auto ./a ./b --keep"]),
        ("image count ./seg --output a --json", ["--json", "image count ./seg --output a"]),
        ("image count ./seg --bounds --json", ["image count ./seg --bounds --json"]),
        ("-q p.toml --set a=1,2", ["-q", "--set", "a=1,2", "p.toml"]),
        ("image count ./seg -- --json", ["image count ./seg --json"]),
        ("--wrong image", ["--wrong", "image"]),
    ],
)
def test_words_are_told_apart(words: str, gathered: list[str]) -> None:
    assert gather_command(words.split(), fields_of(Plan), Catalog(Registry())) == gathered


@pytest.mark.usefixtures("em")
def test_the_table_says_what_is_estimated(run: Run) -> None:
    ran = run("plan", *EM)

    head, row, *_ = ran.out.splitlines()
    assert head.split()[:4] == ["step", "tasks", "memory", "read"]
    assert row.startswith("image downsample")
    assert "~" in row
    assert "At prices of local" in ran.out


@pytest.mark.usefixtures("seg")
def test_stages_of_one_command_are_planned_one_by_one(run: Run) -> None:
    plan = planned(run, "image", "ccl", "auto", "./seg", "./cc", "--shape", "16,16,32", "--compress", "none")

    kinds = [step["kind"].removeprefix("image ccl ") for step in plan["steps"]]
    assert kinds == ["faces", "links", "resolve", "relabel"]
    assert [step["tasks"] for step in plan["steps"]] == [4, 4, 1, 4]
    assert plan["steps"][0]["memory"] is not None
    assert plan["steps"][1]["memory"] is None  # by what the first stage leaves
    assert plan["steps"][1]["why"] == "known after image ccl faces"
    assert [step["kept"] for step in plan["steps"]] == [False, False, False, True]
    assert plan["steps"][3]["files"] == 8
    assert None not in [step["wall_seconds"] for step in plan["steps"]]
    assert not Path("cc").exists()


@pytest.mark.usefixtures("seg")
def test_a_pipeline_file_is_planned_though_its_layers_are_not_there_yet(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("""
[vars]
out = "./out"
[[step]]
name = "copy"
do = "image transfer"
source = "./seg"
dest = "{out}/copy"
[[step]]
name = "pyramid"
do = "image downsample"
layer = "{out}/copy"
num_mips = 1
[[step]]
name = "forge"
do = "mesh forge"
layer = "{out}/copy"
mip = 1
shape = [8, 8, 8]
[[step]]
name = "meshes"
do = "mesh merge"
layer = "{out}/copy"
""")
    plan = planned(run, "p.toml", "--set", "out=./elsewhere")

    copy, pyramid, forge, meshes = plan["steps"]
    assert (copy["tasks"], pyramid["tasks"], forge["tasks"]) == (1, 1, 2 * 2 * 4)
    assert copy["bytes_out"] < pyramid["bytes_in"] <= copy["bytes_out"] + 1000  # with an info
    assert forge["memory"] is not None
    assert (meshes["tasks"], meshes["known"]) == (None, False)
    assert meshes["why"].startswith("known after forge")
    assert plan["dollars"] is None
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.usefixtures("em")
def test_what_a_step_refuses_is_said_at_once_if_it_waits_for_none(run: Run, tmp_path: Path) -> None:
    step = '[[step]]\ndo = "image count"\nlayer = "./em"\n'
    wrong = '[[step]]\nname = "wrong"\ndo = "image downsample"\nlayer = "./em"\nmip = 7\n'
    (tmp_path / "waits.toml").write_text(step + wrong)
    (tmp_path / "free.toml").write_text(step + wrong + "after = []\n")

    waiting, free = run("plan", "waits.toml"), run("plan", "free.toml")

    assert waiting.code == 0
    assert "? wrong, image downsample: known after image count" in waiting.out
    assert free.code != 0
    assert "free.toml: step 'wrong': Layer" in free.err
    assert "has no mip 7" in free.err


@pytest.mark.usefixtures("em")
def test_a_sample_is_run_for_real_and_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    before = files(tmp_path)

    plan = planned(run, "--sample", "2", "--quiet", *EM)

    assert files(tmp_path) == before
    assert list((tmp_path / "tmp").iterdir()) == []
    assert plan["details"]["rate of image downsample"] == "a sample of 2 pieces"
    assert plan["details"]["sample of image downsample"]["pieces"].startswith("2, written to a temporary folder")
    assert plan["steps"][0]["bytes_in"] > 32**3


@pytest.mark.usefixtures("em")
def test_a_sample_that_cannot_be_run_says_why(run: Run, em: Path) -> None:
    for chunk in (em / "4_4_40").iterdir():
        chunk.unlink()

    ran = run("plan", "--sample", "1", "--quiet", *EM)

    assert ran.code != 0
    assert "--sample: a piece of image downsample could not be run: chunk" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "COMMAND is missing"),
        (("nothing",), "there is no command 'nothing'"),
        (("show", "./em"), "show makes no tasks"),
        (("no.toml",), "there is no file no.toml"),
        ((*EM, "--queue", "./q"), "--queue: means nothing to a plan"),
        ((*EM, "--set", "a=b"), "--set: means nothing without a pipeline file"),
        ((*EM, "--scratch", "./s"), "--scratch: means nothing without --sample"),
        ((*EM, "--place", "moon"), "--place: the table of prices has"),
        ((*EM, "--mip", "7"), "has no mip 7"),
        ((*EM, "--wokers", "3"), "--wokers: no such option"),
        (("--prices", "no.toml", *EM), "no.toml is no table of prices"),
    ],
)
@pytest.mark.usefixtures("em")
def test_nonsense_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    ran = run("plan", *words)

    assert ran.code != 0
    assert said in ran.err


def test_the_tables_can_be_had_to_be_edited(run: Run, tmp_path: Path) -> None:
    ran = run("plan", "--show-prices")
    assert ran.code == 0
    (tmp_path / "prices.toml").write_text(ran.out.replace("0.005", "0.5"))
    make_layer(tmp_path / "em", voxels((32, 32, 32), "uint8"), compress="")

    dear, usual = (planned(run, *more, "--place", "aws", *EM) for more in (("--prices", "prices.toml"), ()))

    assert dear["dollars"] > 10 * usual["dollars"] > 0
    assert run("plan", "--show-rates").out.startswith('form = "teravox rates 1"')


def _records(file: Path) -> list[dict[str, Any]]:  # Any: a record as JSON
    import gzip

    return [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
