"""`teravox image ccl auto`: all stages in one command, here and by workers elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from layers.make import Vec, files_of, make_layer, voxels
from tasks.image.ccl.components import assert_same_components, expected

from teravox.cli.commands.image.ccl.auto import Auto
from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.tasks.image.ccl.faces import Faces
from teravox.tasks.image.ccl.links import Links
from teravox.tasks.image.ccl.relabel import Relabel
from teravox.tasks.image.ccl.resolve import Resolve

SIZE: Vec = (40, 30, 9)
ARRAY = voxels(SIZE, "uint16", labels=3)
SMALL = ("--shape", "16,16,8", "--group", "2,2,2")  # 12 boxes, so 2 levels of groups and 3 steps


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Auto_ = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_settings_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("TERAVOX_") and name not in ("TERAVOX_TEST_PROCESS", "TERAVOX_DATA"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def source(tmp_path: Path) -> str:
    return make_layer(tmp_path / "source", ARRAY, offset=(3, -5, 1))


@pytest.fixture
def dest(tmp_path: Path) -> str:
    return str(tmp_path / "dest")


@pytest.fixture
def ccl(capsys: pytest.CaptureFixture[str], source: str, dest: str) -> Auto_:
    """Runs `teravox image ccl …` on the layers of the test."""

    def run(stage: str, *words: str) -> Ran:
        capsys.readouterr()
        code = main(["image", "ccl", stage, source, dest, *words])
        return Ran(code, *capsys.readouterr())

    return run


def assert_done(dest: str, connectivity: int = 6) -> None:
    layer = Layer.open(dest, fresh=True)
    assert_same_components(layer.read(layer.bounds(0), 0)[..., 0], expected(ARRAY[..., 0], connectivity))


def folders(dest: str) -> set[str]:
    return {entry.name for entry in Path(dest).iterdir()}


@pytest.mark.parametrize("processes", ["1", "2"])
def test_all_stages_are_done_and_only_the_layer_is_left(ccl: Auto_, dest: str, processes: str) -> None:
    ran = ccl("auto", *SMALL, "--connectivity", "26", "-p", processes)
    assert (ran.code, ran.err) == (0, "")
    assert "41 tasks done in" in ran.out  # 12 boxes in three stages, 2 + 1 + 2 groups in between
    assert_done(dest, 26)
    assert folders(dest) == {"info", "provenance", "4_4_40", "ledger"}
    assert len(list(Path(dest, "ledger").iterdir())) == 1


def test_doing_it_again_does_nothing(ccl: Auto_, dest: str) -> None:
    ccl("auto", *SMALL)
    before = files_of(dest)
    ran = ccl("auto", *SMALL)
    assert ran.code == 0
    assert ran.out == f"file://{dest} holds the components.\n"
    assert files_of(dest) == before


def test_what_the_stages_leave_can_be_kept_and_removed_later(ccl: Auto_, dest: str) -> None:
    assert ccl("auto", *SMALL, "--keep").code == 0
    assert "ccl" in folders(dest)
    assert ccl("auto", *SMALL).code == 0
    assert "ccl" not in folders(dest)
    assert_done(dest)


def test_it_goes_on_where_others_have_stopped(ccl: Auto_, dest: str) -> None:
    assert ccl("faces", *SMALL[:2]).code == 0
    assert ccl("links", *SMALL[:2]).code == 0
    ran = ccl("resolve", *SMALL, "--step", "1")
    assert ran.code == 0
    assert "go on with --step 2" in ran.out
    ran = ccl("auto", *SMALL)
    assert "15 tasks done" in ran.out  # the group at the top, 2 that hand down, and 12 boxes
    assert_done(dest)


def test_other_options_in_the_same_place_begin_anew(ccl: Auto_, dest: str) -> None:
    ccl("auto", *SMALL)
    assert ccl("auto", *SMALL, "--connectivity", "26").code == 0
    assert_done(dest, 26)


def test_a_stage_that_fails_ends_it_with_its_exit_code(ccl: Auto_, source: str, dest: str) -> None:
    next(Path(source, "4_4_40").iterdir()).unlink()
    ran = ccl("auto", *SMALL)
    assert ran.code == 1
    assert "11 tasks done, 1 failed" in ran.out
    assert "--fill-missing" in ran.err
    assert not Path(dest, "info").exists()
    assert not list(Path(dest).glob("ccl/*/links"))


def test_a_stage_that_fails_elsewhere_ends_it_with_its_exit_code(
    ccl: Auto_, source: str, dest: str, tmp_path: Path
) -> None:
    next(Path(source, "4_4_40").iterdir()).unlink()
    queue = str(tmp_path / "q")
    main(["image", "ccl", "faces", source, dest, *SMALL[:2], "--queue", queue, "--quiet"])
    assert main(["execute", queue, "--exit-on-empty", "--quiet"]) == 1
    ran = ccl("auto", *SMALL, "--queue", queue)
    assert ran.code == 1
    assert "1 task of image ccl faces failed, so no further stage begins" in ran.err
    assert not list(Path(dest).glob("ccl/*/links"))


def test_workers_elsewhere_do_all_stages(ccl: Auto_, dest: str, tmp_path: Path) -> None:
    queue = str(tmp_path / "q")
    assert main(["queue", "create", queue]) == 0
    worker = subprocess.Popen([sys.executable, "-m", "teravox", "execute", queue, "--quiet"])
    try:
        ran = ccl("auto", *SMALL, "--queue", queue, "--interval", "0.1")
        assert (ran.code, ran.err) == (0, "")
        assert "6 of 6: image ccl relabel, 12 of 12 tasks to be done" in ran.out
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait() == 0
    assert_done(dest)
    assert folders(dest) == {"info", "provenance", "4_4_40", "ledger"}
    assert len(list(Path(dest, "ledger").iterdir())) == 1


def test_a_dry_run_says_the_stages_and_writes_nothing(ccl: Auto_, dest: str) -> None:
    ran = ccl("auto", *SMALL, "--dry-run")
    assert ran.code == 0
    said = [line.split() for line in ran.out.splitlines()]
    assert [" ".join(line[:3]) for line in said[:6]] == [
        "image ccl faces", "image ccl links", *["image ccl resolve"] * 3, "image ccl relabel"
    ]  # fmt: skip
    assert [int(line[3]) for line in said[:6]] == [12, 12, 2, 1, 2, 12]
    assert not Path(dest).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--queue", "q", "-p", "2"), "--parallel: means nothing with --queue"),
        (("--interval", "3"), "--interval: means nothing without --queue"),
        (("--region", "x"), "--region: means nothing without an SQS queue"),
        (("--connectivity", "7"), "--connectivity: expected 6, 18 or 26, got 7"),
        (("--encoding", "jpeg"), "--encoding: expected compressed_segmentation, compresso, crackle or raw"),
        (("--group", "1,1,1"), "--group"),
        (("--compress", "gzip", "--compress-level", "77"), "--compress-level"),
    ],
)
def test_nonsense_is_refused_before_anything_is_done(
    ccl: Auto_, dest: str, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = ccl("auto", "--shape", "16,16,8", *words)
    assert ran.code == 2
    assert said in ran.err
    assert not Path(dest).exists()
    assert not Path("q").exists()


def test_a_destination_that_is_another_layer_is_refused_first(ccl: Auto_, dest: str) -> None:
    make_layer(Path(dest), ARRAY)
    before = files_of(dest)
    ran = ccl("auto", *SMALL)
    assert ran.code == 2
    assert "is a layer already, and differs: type image, not segmentation" in ran.err
    assert files_of(dest) == before


@pytest.mark.parametrize("kind", [Faces, Links, Resolve, Relabel])
def test_the_options_of_the_stages_are_those_of_all(kind: type[msgspec.Struct]) -> None:
    def options(struct: type[msgspec.Struct]) -> dict[str, Any]:
        return {field.encode_name: (field.type, field.default) for field in msgspec.structs.fields(struct)}

    ours = options(kind)
    ours.pop("step", None)
    assert ours.items() <= options(Auto).items()
