"""How far the steps of a run are, in a table and in lines."""

from __future__ import annotations

import io
import time
from typing import NamedTuple, cast

import pytest
from rich.console import Console

from teravox.cli.run_show import Lines, Live, say_state, show_steps
from teravox.pipeline.ledger import Totals
from teravox.pipeline.pipelines.stamp import Cost
from teravox.pipeline.pipelines.work import Made, StepRun
from teravox.pipeline.stages import Stage


class Said(NamedTuple):
    name: str
    do: str = "brew"
    after: tuple[str, ...] = ()

    def make(self) -> Made:
        raise NotImplementedError


class Two(NamedTuple):
    stages: list[Stage]


def steps() -> list[StepRun]:
    """One that is done, one in the middle, one that failed and one that waits."""
    done, running, failed, waiting = (
        StepRun(Said(name, after=after), is_wanted=True, is_redone=False)
        for name, after in (
            ("first", ()),
            ("second", ("first",)),
            ("third", ()),
            ("fourth\x1b[2J", ("second", "third")),
        )
    )
    done.state, done.costs, done.ended = "done", [Cost(kind="brew", totals=Totals(tasks=7))], 3.0
    running.made = cast("Made", Two([Stage("brew", None), Stage("drink", None)]))  # type: ignore[arg-type] # nobody looks at the jobs
    running.state, running.at, running.began = "running", 1, time.monotonic() - 10
    running.total, running.skipped, running.done = 100, 20, 40
    failed.state, failed.note = "failed", "1 task of brew failed"
    return [done, running, failed, waiting]


def test_the_table_has_a_row_for_each_step() -> None:
    out = io.StringIO()
    console = Console(file=out, width=120)
    console.print(Live(steps(), console).draw())
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert rows == [
        ["step", "state", "tasks", "a", "second", "left"],
        ["first", "done", "7"],
        ["second", "runs", "40", "of", "100", "2.0", "30", "s", "drink,", "2", "of", "2"],
        ["third", "failed", "1", "task", "of", "brew", "failed"],
        ["fourth\\x1b[2J", "waits", "for", "second,", "third"],
    ]


def test_a_step_is_said_in_a_line() -> None:
    assert [say_state(step) for step in steps()] == [
        "done, 7 tasks in 3 s",
        "runs, 40 of 100 tasks, 2.0 a second, 30 s left (drink, 2 of 2)",
        "failed: 1 task of brew failed",
        "waits: for second, third",
    ]


def test_lines_tell_of_changes_of_choices_once_and_of_what_takes_long(capsys: pytest.CaptureFixture[str]) -> None:
    _, running, failed, waiting = steps()
    running.choices = ["it chose\x07 this"]
    lines = Lines()
    for step in (running, failed, waiting, running):
        lines.changed(step)
    lines.ticked([running])
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(",")[0] for line in err.splitlines()] == [
        "second: runs",
        "second: it chose\\x07 this",
        "third: failed: 1 task of brew failed",
        "second: runs",
    ]
    lines._said.clear()
    running.began -= 60
    lines.ticked([running])
    assert capsys.readouterr().err.startswith("second: runs, 40 of 100 tasks")


def test_nothing_is_said_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    with show_steps(steps(), quiet=True) as show:
        for step in steps():
            show.changed(step)
        show.ticked(steps())
    assert capsys.readouterr() == ("", "")
