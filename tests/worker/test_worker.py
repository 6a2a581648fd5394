from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from teravox.pipeline.failure import DeadLetter
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.submit import run_here, submit
from teravox.pipeline.worker.settings import WorkerSettings
from teravox.pipeline.worker.supervisor import work

TRIAL = str(Path(__file__).parent.parent / "kinds" / "trial.py")
KIND = Registry([TRIAL]).find("trial")
assert KIND is not None


def trial(tmp_path: Path, *words: str, seconds: float = 0.0) -> AnyJob:
    assert KIND is not None
    return msgspec.convert({"layer": f"file://{tmp_path}/layer", "words": words, "seconds": seconds}, KIND)


def filled(tmp_path: Path, *words: str, seconds: float = 0.0) -> FolderQueue:
    queue = FolderQueue(tmp_path / "q", create=True)
    submit(trial(tmp_path, *words, seconds=seconds), "trial", queue, resume=False, command="", progress=lambda _: None)
    return queue


def settings(**changes: Any) -> WorkerSettings:  # Any: whatever the settings take
    return msgspec.structs.replace(WorkerSettings(plugins=(TRIAL,), exit_on_empty=True, lease_sec=10.0), **changes)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teravox.pipeline.worker.verdicts.pause_before", lambda _sort, _attempt: 0.0)


def executions(tmp_path: Path) -> Counter[int]:
    return Counter(map(int, (tmp_path / "layer/executions").read_text().split()))


def letters(queue: FolderQueue) -> dict[str, DeadLetter]:
    return {json.loads(letter.body)["piece"]["number"]: letter for letter in queue.dead()}


def test_all_tasks_are_done_and_recorded(tmp_path: Path) -> None:
    queue = filled(tmp_path, *["ok"] * 20)
    outcome = work(queue, settings(processes=2))
    assert (outcome.done, outcome.failed, outcome.exit_code, outcome.stopped_by) == (20, 0, 0, "empty")
    counts = FolderQueue(tmp_path / "q").counts()
    assert (counts.waiting, counts.leased, counts.done, counts.failed) == (0, 0, 20, 0)
    ledger = Ledger(open_store(f"file://{tmp_path}/layer"), job_id("trial", trial(tmp_path, *["ok"] * 20)))
    records = list(ledger.records())
    assert len(records) == 20
    assert {key for record in records for key in record.outputs} == {f"out/{n}" for n in range(20)}
    assert all(
        record.outputs[f"out/{record.piece['number']}"][0] == 100 * len(f"piece {record.piece['number']}\n")
        for record in records
    )
    assert all(record.peak_bytes > 1_000_000 and record.seconds > 0 for record in records)
    assert (tmp_path / "layer/finished").read_text() == "yes"


def test_last_duties_that_fail_are_told_by_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "layer/finished").mkdir(parents=True)  # where a file is to be
    outcome = run_here(trial(tmp_path, "ok"), "trial", settings(), resume=False, command="", progress=lambda *_: None)
    assert (outcome.done, outcome.failed, outcome.unfinished, outcome.exit_code) == (1, 0, 1, 1)
    (tmp_path / "layer/finished").rmdir()
    outcome = run_here(trial(tmp_path, "ok"), "trial", settings(), resume=False, command="", progress=lambda *_: None)
    assert (outcome.unfinished, outcome.exit_code) == (0, 0)
    assert (tmp_path / "layer/finished").read_text() == "yes"


@pytest.mark.parametrize(("deaths", "unfinished"), [(1, 0), (2, 0), (3, 1)])
def test_last_duties_are_done_again_where_a_child_died_of_them(tmp_path: Path, deaths: int, unfinished: int) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer/deadly").write_text(str(deaths))
    outcome = run_here(trial(tmp_path, "ok"), "trial", settings(), resume=False, command="", progress=lambda *_: None)
    assert (outcome.done, outcome.unfinished, outcome.exit_code) == (1, unfinished, unfinished)
    assert (tmp_path / "layer/finished").exists() is not bool(unfinished)


@pytest.mark.parametrize(
    ("word", "sort", "attempts", "said"),
    [
        ("raise", "error", 3, "ValueError: piece 1 raised"),
        ("exit", "crashed", 3, "SystemExit: 7"),
        ("segfault", "crashed", 3, "SIGSEGV"),
        ("kill", "crashed", 3, "SIGKILL"),
        ("hang", "hung", 3, "--task-timeout"),
        ("memory", "out of memory", 3, "MemoryError"),
        ("bad", "bad input", 1, "piece 1 has bad input"),
        (f"needs:{10**15}", "out of memory", 3, "this task needs 1.0 PB"),
    ],
)
def test_a_task_that_goes_wrong_ends_among_the_dead_letters(
    tmp_path: Path, word: str, sort: str, attempts: int, said: str, no_pauses: None
) -> None:
    outcome = work(filled(tmp_path, "ok", word, "ok"), settings(task_timeout=1.0))
    assert (outcome.done, outcome.failed, outcome.exit_code) == (2, 1, 1)
    (letter,) = FolderQueue(tmp_path / "q").dead()
    assert letter.attempts == attempts
    assert [failure.attempt for failure in letter.failures] == list(range(1, attempts + 1))
    assert {failure.sort for failure in letter.failures} == {sort}
    assert said in letter.failures[-1].text
    if not word.startswith("needs"):
        assert f"piece 1 will {word}" in letter.failures[-1].log
    if word == "segfault":
        assert any("Segmentation fault" in line for line in letter.failures[-1].log)
    if word == "raise":
        assert "raise ValueError" in letter.failures[-1].traceback


def test_what_fails_once_is_tried_again(tmp_path: Path, no_pauses: None) -> None:
    outcome = work(filled(tmp_path, "twice", "transient"), settings())
    assert (outcome.done, outcome.failed, outcome.retried, outcome.exit_code) == (2, 0, 3, 0)
    assert executions(tmp_path) == {0: 3, 1: 2}
    assert list((tmp_path / "q/reports").iterdir()) == []


def test_a_fatal_error_stops_the_worker_and_costs_no_attempt(tmp_path: Path) -> None:
    outcome = work(filled(tmp_path, *["fatal"] * 5), settings())
    assert (outcome.done, outcome.failed, outcome.exit_code, outcome.stopped_by) == (0, 0, 3, "fatal")
    assert "the credentials are wrong" in outcome.fatal
    queue = FolderQueue(tmp_path / "q")
    assert [task.attempt for task in queue.tasks()] == [0] * 5
    assert queue.counts().waiting == 5


def test_a_task_that_takes_too_much_memory_is_killed_and_fewer_run(tmp_path: Path, no_pauses: None) -> None:
    words = ["eat:600000000", *["ok"] * 3]
    outcome = work(filled(tmp_path, *words), settings(processes=2, memory=600_000_000))
    assert (outcome.done, outcome.failed) == (3, 1)
    (letter,) = FolderQueue(tmp_path / "q").dead()
    assert [failure.sort for failure in letter.failures] == ["out of memory"] * 3
    assert "and may use 300 MB (--memory)" in letter.failures[0].text


def test_bad_messages_are_dead_lettered_and_nothing_in_them_runs(tmp_path: Path, no_pauses: None) -> None:
    queue = filled(tmp_path, "ok")
    good = next(queue.lease(1)[0].body for _ in [0])
    queue.release_all()
    message = json.loads(good)
    bad = {
        "0" * 32: (b"", "empty"),
        "1" * 32: (b"{not json", "not a task"),
        "2" * 32: (json.dumps(message | {"kind": "os system"}).encode(), "unknown kind 'os system'"),
        "3" * 32: (json.dumps(message | {"extra": 1}).encode(), "unknown field `extra`"),
        "4" * 32: (
            json.dumps(message | {"piece": {"number": "x"}}).encode(),
            "the piece of this 'trial' task is wrong",
        ),
        "5" * 32: (b"x" * 10_000_000, "at most 262,144"),
        "6" * 32: (b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.", "not a task"),
        "7" * 32: (b"[" * 5000 + b"]" * 5000, "nested"),
        "8" * 32: (json.dumps(message | {"v": 2}).encode(), "message version 2"),
        "9" * 32: (json.dumps(message | {"id": "../../escape"}).encode(), "is not the hash"),
    }
    queue.insert([Entry(id, body) for id, (body, _) in bad.items()], lambda _: None)
    outcome = work(queue, settings())
    assert (outcome.done, outcome.failed) == (1, len(bad))
    for letter in FolderQueue(tmp_path / "q").dead():
        assert [failure.sort for failure in letter.failures] == ["bad message"] * 3
        assert bad[letter.id][1] in letter.failures[-1].text


def test_a_task_outlives_its_lease_by_the_heartbeat_and_runs_once(tmp_path: Path) -> None:
    queue = filled(tmp_path, "ok", seconds=4.0)
    outcome = work(queue, settings(lease_sec=1.0))
    assert outcome.done == 1
    assert executions(tmp_path) == {0: 1}


def test_a_task_whose_lease_is_lost_is_stopped_and_not_counted(tmp_path: Path) -> None:
    queue = filled(tmp_path, "hang")
    other = FolderQueue(tmp_path / "q")

    def steal() -> None:
        while not (tmp_path / "layer/executions").exists():
            time.sleep(0.01)
        other.purge(["leased"])

    thread = threading.Thread(target=steal)
    thread.start()
    outcome = work(queue, settings(lease_sec=1.0))
    thread.join()
    assert (outcome.done, outcome.failed, outcome.stopped_by) == (0, 0, "empty")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_the_lease_back_at_once(tmp_path: Path, number: signal.Signals) -> None:
    queue = filled(tmp_path, "hang", "hang", "hang")
    threading.Thread(target=kill_when_running, args=(tmp_path, number, 2)).start()
    outcome = work(queue, settings(processes=2, lease_sec=600.0))
    assert (outcome.released, outcome.stopped_by, outcome.exit_code) == (2, "signal", 0)
    after = FolderQueue(tmp_path / "q")
    assert after.counts().waiting == 3
    assert {task.attempt for task in after.tasks()} == {0}


def test_within_the_grace_a_running_task_is_finished(tmp_path: Path) -> None:
    queue = filled(tmp_path, "ok", "ok", seconds=1.0)
    threading.Thread(target=kill_when_running, args=(tmp_path, signal.SIGTERM)).start()
    outcome = work(queue, settings(grace=60.0))
    assert (outcome.done, outcome.released, outcome.stopped_by) == (1, 0, "signal")
    assert FolderQueue(tmp_path / "q").counts().waiting == 1


def test_a_second_signal_ends_the_grace(tmp_path: Path) -> None:
    queue = filled(tmp_path, "hang")

    def twice() -> None:
        kill_when_running(tmp_path, signal.SIGTERM)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=twice).start()
    outcome = work(queue, settings(grace=600.0))
    assert (outcome.released, outcome.exit_code) == (1, 130)


def kill_when_running(tmp_path: Path, number: signal.Signals, processes: int = 1) -> None:
    """A signal to this process as soon as so many tasks have begun."""
    executions = tmp_path / "layer/executions"
    while not executions.exists() or len(executions.read_text().splitlines()) < processes:
        time.sleep(0.01)
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)


def test_num_tasks_counts_all_processes_together(tmp_path: Path) -> None:
    outcome = work(filled(tmp_path, *["ok"] * 9), settings(processes=3, num_tasks=5))
    assert (outcome.done, outcome.stopped_by) == (5, "num-tasks")
    assert FolderQueue(tmp_path / "q").counts().waiting == 4


def test_min_sec_ends_between_two_tasks(tmp_path: Path) -> None:
    outcome = work(filled(tmp_path, *["ok"] * 3, seconds=1.5), settings(min_sec=1.0))
    assert outcome.stopped_by == "min-sec"
    assert outcome.done < 2  # 1, unless the child took all this time to start
    counts = FolderQueue(tmp_path / "q").counts()
    assert (counts.leased, counts.waiting) == (0, 3 - outcome.done)


def test_a_task_that_lost_its_workers_silently_is_given_up(tmp_path: Path) -> None:
    queue = filled(tmp_path, "ok")
    for _ in range(3):
        assert queue.lease(600)
        queue.release_all()
    outcome = work(queue, settings())
    assert (outcome.done, outcome.failed) == (0, 1)
    (letter,) = FolderQueue(tmp_path / "q").dead()
    assert letter.failures[-1].sort == "lost"
    assert "leased 3 times" in letter.failures[-1].text


def test_layers_outside_what_is_allowed_are_refused(tmp_path: Path) -> None:
    outcome = work(filled(tmp_path, "ok"), settings(allow=(f"file://{tmp_path}/lay", "s3://bucket")))
    assert (outcome.done, outcome.failed) == (0, 1)
    (letter,) = FolderQueue(tmp_path / "q").dead()
    assert "outside what --allow names" in letter.failures[-1].text
    again = FolderQueue(tmp_path / "q")
    assert again.retry(lambda _: True) == 1
    assert work(again, settings(allow=(f"file://{tmp_path}",))).done == 1


def test_a_job_runs_here_without_a_queue_and_resumes(tmp_path: Path) -> None:
    job = trial(tmp_path, "ok", "bad", "ok")
    seen: list[tuple[int, int]] = []
    outcome = run_here(job, "trial", settings(), resume=False, command="", progress=lambda *n: seen.append(n))
    assert (outcome.done, outcome.failed, outcome.exit_code) == (2, 1, 1)
    assert [sum(column) for column in zip(*seen, strict=True)] == [2, 1]
    assert not (tmp_path / "layer/finished").exists()
    again = run_here(job, "trial", settings(), resume=True, command="", progress=None)
    assert (again.done, again.failed) == (0, 1)
    assert executions(tmp_path) == {0: 1, 1: 2, 2: 1}


def test_a_secret_in_an_error_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], no_pauses: None
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYPLANTEDKEY")
    work(filled(tmp_path, "secret", "ok"), settings())
    said = "".join(capfd.readouterr())
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("wJalrXUtnFEMIK7MDENGbPxRfiCYPLANTEDKEY", "hunter2hunter2"):
        assert secret not in said
        assert secret.encode() not in stored
    assert "failed for good" in said


def test_a_plugin_that_cannot_be_imported_ends_the_worker(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no such luck')")
    outcome = work(filled(tmp_path, "ok"), settings(plugins=(str(broken),)))
    assert outcome.exit_code == 3
    assert "no such luck" in outcome.fatal
