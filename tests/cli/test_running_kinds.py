from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from cli.running import SAMPLE, Run

from teravox.cli import progress
from teravox.pipeline.queues.contract import Entry, Inserted
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.open import open_queue


def test_a_job_is_done_here_and_now(paint: Run, tmp_path: Path) -> None:
    code, out, err = paint("./wall", "--color", "green", "--bounds", "-5,0,0:10,10,10")
    assert (code, err) == (0, "")
    assert out.startswith("2 tasks done in ")
    assert (tmp_path / "wall/-5,0,0:5,10,10").read_text() == "green"


def test_a_failed_task_fails_the_command(paint: Run) -> None:
    code, out, err = paint("./wall", "--coats", "2", "--tries", "1")
    assert code == 1
    assert out.startswith("1 task done, 1 failed in ")
    assert "the wall is wet" in err


def test_quiet_says_nothing(paint: Run) -> None:
    assert paint("./wall", "--quiet", "-p2") == (0, "", "")


def test_resume_leaves_out_what_is_done(paint: Run, tmp_path: Path) -> None:
    paint("./wall")
    (tmp_path / "wall/0,0,0:10,10,10").unlink()
    assert paint("./wall", "--resume").out.startswith("0 tasks done")
    assert not (tmp_path / "wall/0,0,0:10,10,10").exists()
    assert "done    2 of them" in paint("./wall", "--resume", "--dry-run").out


def test_tasks_go_into_a_queue_that_is_made_for_them(paint: Run, tmp_path: Path) -> None:
    code, out, err = paint("./wall", "--queue", "./my q")
    assert (code, err) == (0, "")
    assert out == (
        f"2 tasks are in fq://{tmp_path}/my q (0 were there already). "
        f"Work on them with: teravox --plugin {tmp_path}/paint.py execute './my q'\n"
    )
    assert "2 tasks are in" in paint("./wall", "--queue", "./my q").out
    assert "(2 were there already)" in paint("./wall", "--queue", "./my q").out
    assert FolderQueue(tmp_path / "my q").counts().waiting == 2


def test_a_worker_does_what_was_queued(paint: Run, run: Run, tmp_path: Path) -> None:
    paint("./wall", "--queue", "q")
    code, out, err = run("execute", "q", "-x", "--plugin", "./paint.py", "--log-json")
    assert (code, out) == (0, "")
    assert json.loads(err.splitlines()[-1])["done"] == 2
    assert len(list((tmp_path / "wall").glob("*:*"))) == 2


def test_a_worker_keeps_to_the_places_it_is_allowed(paint: Run, run: Run) -> None:
    paint("./wall", "--queue", "q")
    words = ("execute", "q", "-xq", "--plugin", "./paint.py", "--tries", "1", "--allow")
    code, _, err = run(*words, "./elsewhere")
    assert code == 1
    assert "outside what --allow names" in err
    run("queue", "retry", "q", "--yes")
    assert run(*words, "./elsewhere,./wall").code == 0


def test_a_dry_run_tells_tasks_pieces_memory_and_outputs_and_writes_nothing(paint: Run, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if "__pycache__" not in str(path)}
    code, out, _ = paint("./wall", "--dry-run", "--shape", "10,10,4", "--queue", "q")
    assert code == 0
    assert out.splitlines() == [
        "kind    paint",
        "tasks   6",
        "first   0,0,0:10,10,4",
        "last    10,0,8:20,10,10",
        "memory  at most 400 kB a task (of all tasks)",
        f"outputs the first task leaves 0,0,0:10,10,4 in file://{tmp_path}/wall",
        "This was a dry run: nothing was written.",
    ]
    after = {path for path in tmp_path.rglob("*") if "__pycache__" not in str(path)}
    assert after - before <= {tmp_path / "paint.py"}


def test_a_dry_run_looks_at_a_sample_of_many_pieces(paint: Run) -> None:
    out = paint("./wall", "--dry-run", "--shape", "1,1,1").out
    assert "tasks   2,000" in out
    assert "(of 1,000 tasks, spread evenly, that were looked at)" in out


class StoppedQueue:
    """A queue that Ctrl-C meets after three tasks."""

    def __init__(self, url: str) -> None:
        self.url = url

    def insert(self, entries: Iterable[Entry], progress: Callable[[int], None]) -> Inserted:
        for _, _ in zip(range(3), entries, strict=False):
            progress(1)
        raise KeyboardInterrupt

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("fq:///data/q", "The same command again adds only the rest."),
        ("sqs://q", "and add --resume to leave them out."),
    ],
)
def test_ctrl_c_says_how_many_tasks_are_safe(
    paint: Run, monkeypatch: pytest.MonkeyPatch, url: str, advice: str
) -> None:
    monkeypatch.setattr("teravox.pipeline.queues.open.open_queue", lambda *_, **__: StoppedQueue(url))
    code, out, err = paint("./wall", "--queue", url, "--shape", "1,10,10")
    assert (code, err) == (130, "")
    assert out.startswith(f"\nStopped: 3 of 20 tasks are safely in {url}.")
    assert out.endswith(f"{advice}\n")


def test_ctrl_c_stops_a_job_that_runs_here(tmp_path: Path) -> None:
    plugin = tmp_path / "paint.py"
    plugin.write_text(
        SAMPLE.replace("        if self.coats == 2", "        __import__('time').sleep(60)\n        if self.coats")
    )
    words = [sys.executable, "-m", "teravox", "--plugin", str(plugin), "paint", "./wall"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("wall/ledger/*/job.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out


def test_progress_away_from_a_terminal_is_a_line_from_time_to_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for every, expected in ((1000.0, 0), (0.0, 3)):
        monkeypatch.setattr("teravox.cli.progress.LINE_EVERY", every)
        with progress.show_progress("paint", lambda: 100, quiet=False) as shown:
            shown(1, 0)
            shown(0, 1)
            shown(2, 0)
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == expected
    assert lines[0].startswith("paint: 1 of 100 tasks, ")
    assert lines[2].startswith("paint: 4 of 100 tasks, 1 of them failed, ")
    assert lines[2].endswith(" left")


def test_progress_on_a_terminal_is_a_bar(tmp_path: Path) -> None:
    (tmp_path / "paint.py").write_text(SAMPLE)
    words = [sys.executable, "-m", "teravox", "--plugin", "./paint.py", "paint", "./wall"]
    assert b"2/2" in on_a_terminal(words)


def test_watching_a_queue_ends_when_it_is_empty(paint: Run, tmp_path: Path) -> None:
    paint("./wall", "--queue", "q")
    queue = open_queue(f"fq://{tmp_path}/q")
    leases = queue.lease(60, 2)
    words = [sys.executable, "-m", "teravox", "queue", "status", "q", "--watch", "--interval", "0.1"]
    shown = on_a_terminal(words, lambda: queue.done(leases))
    assert b"leased        2" in shown
    assert b"done          2" in shown


def on_a_terminal(words: list[str], after_first_words: Callable[[], object] = lambda: None) -> bytes:
    main, other = pty.openpty()
    process = subprocess.Popen(words, stdin=other, stdout=other, stderr=other)
    os.close(other)
    shown = b""
    try:
        while part := os.read(main, 65536):
            shown += part
            after_first_words()
    except OSError:  # the way in which a terminal says that the other side has left
        pass
    os.close(main)
    assert process.wait(timeout=30) == 0, shown.decode()
    return shown
