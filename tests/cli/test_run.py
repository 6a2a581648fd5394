"""`teravox run` says what it will do, does it, and says what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli.running import Ran, Run
from pipelines.running import Pots

STEPS: dict[str, dict[str, Any]] = {
    "a": {"value": 1, "number": 2},
    "b": {"value": 2, "number": 2, "after": ["a"], "breaks": 1},
    "c": {"value": 3, "number": 2, "after": ["a"], "asks": "true"},
    "d": {"value": 4, "number": 2, "after": ["b"]},
}


@pytest.fixture
def pots(tmp_path: Path) -> Pots:
    pots = Pots(tmp_path)
    pots.set(STEPS)
    return pots


@pytest.fixture
def runs(pots: Pots, run: Run) -> Run:
    """Runs the pipeline in this process, with these further words."""

    def runs(*words: str) -> Ran:
        return run(*pots.words(*words))

    return runs


def files(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_an_interrupt_between_steps_says_how_to_go_on(runs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("teravox.pipeline.pipelines.run.drive_here", interrupt)
    code, out, err = runs("--yes")
    assert (code, err) == (130, "")
    assert out.endswith("Stopped. The same command again goes on where it was.\n")


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(runs: Run, tmp_path: Path) -> None:
    before = files(tmp_path)
    code, out, err = runs("--dry-run", "--queue", "./q")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "a  brew: 2 tasks",
        "b  brew, after a",
        "c  brew, after a",
        "d  brew, after b",
        "This was a dry run: nothing was written.",
    ]
    assert files(tmp_path) == before


def test_what_a_step_asks_is_asked_before_anything_is_done(runs: Run, tmp_path: Path) -> None:
    before = files(tmp_path)
    code, out, err = runs()
    assert (code, out) == (2, "")
    assert err == (
        "teravox: c: This spills what is in the pot. Nobody is here to be asked: say --yes to have it done\n"
    )
    assert files(tmp_path) == before


def test_a_failure_ends_its_step_and_those_after_it_and_the_next_run_does_the_rest(
    runs: Run, pots: Pots, tmp_path: Path
) -> None:
    code, out, err = runs("--yes", "--tries", "1")
    assert code == 1
    lines = [line for line in err.splitlines() if not line[:1].isdigit()]  # those of the log begin with the time
    assert {line.partition(": ")[0]: line for line in lines[:-3]} == {
        "a": lines[1],
        "b": "b: failed: 1 task of brew failed",
        "c": next(line for line in lines if line.startswith("c: done, 2 tasks in ")),
        "d": "d: left out: b is not done",
    }
    assert lines[-3:] == [
        "b: 1 task of brew failed",
        "  1,0,0:2,1,1: the pot is cracked",
        "  When the cause is gone, the same command again does these tasks and what waits for them",
    ]
    assert [line.split()[:2] for line in out.splitlines()[2:6]] == [
        ["a", "done"],
        ["b", "failed"],
        ["c", "done"],
        ["d", "left"],
    ]
    (tmp_path / "b" / "mended").write_text("")
    code, out, err = runs("--yes", "--json")
    assert code == 0
    said = json.loads(out)
    assert (said["form"], said["is_done"]) == ("teravox run 1", True)
    assert {step["name"]: (step["was_done"], step["tasks"]) for step in said["steps"]} == {
        "a": (True, 2),
        "b": (False, 2),
        "c": (True, 2),
        "d": (False, 2),
    }
    assert all(step["peak_bytes"] > 0 and step["bytes_out"] == 128 for step in said["steps"])
    assert [pots.runs(name) for name in STEPS] == [2, 2, 2, 2]
    pots.check()
    code, out, err = runs("--quiet")
    assert (code, out, err) == (0, "", "")


def test_steps_are_chosen_by_name(runs: Run, tmp_path: Path) -> None:
    assert runs("--until", "a", "-q").code == 0
    assert not (tmp_path / "c").exists()
    assert runs("--only", "d", "-q") == (1, "", "d was not begun: b is not done\n")
    assert runs("--from", "c", "--yes", "-q").code == 0
    assert (tmp_path / "c" / "finished").exists()
    assert not (tmp_path / "b").exists()
    out = runs("--dry-run", "--redo", "a").out
    assert out.splitlines()[:2] == ["a  brew: 2 tasks", "b  brew, after a"]
