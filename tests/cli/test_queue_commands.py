from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli.running import Run

from teravox.cli.survey import rows, survey
from teravox.pipeline.errors import CannotSay
from teravox.pipeline.failure import Failure
from teravox.pipeline.queues.contract import Counts, Entry, Held, Lease, WorkerRecord
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.memory import MemoryQueue


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def queue(paint: Run, tmp_path: Path) -> FolderQueue:
    """A folder queue with four tasks."""
    paint("./wall", "--shape", "5,10,10", "--queue", "q", "-q")
    return FolderQueue(tmp_path / "q")


def failure(text: str, attempt: int = 1) -> Failure:
    return Failure(
        attempt=attempt,
        sort="error",
        error="ValueError",
        text=text,
        host="node-7",
        worker="node-7-12",
        started=1e9,
        seconds=2.0,
        traceback="Traceback: here\nand there",
        log=("last words",),
    )


def bury(queue: FolderQueue, *texts: str) -> list[Lease]:
    leases = queue.lease(60, len(texts))
    for lease, text in zip(leases, texts, strict=True):
        assert queue.fail(lease, failure(text))
    return leases


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> Terminal:
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", heard := Terminal())
    return heard


def test_create_makes_a_queue_and_says_so_again(run: Run, tmp_path: Path) -> None:
    assert run("queue", "create", "./new") == (0, f"fq://{tmp_path}/new is ready.\n", "")
    assert run("queue", "create", "./new").code == 0
    assert FolderQueue(tmp_path / "new").is_empty()


def test_a_queue_that_is_not_there_is_not_made_by_looking(run: Run, tmp_path: Path) -> None:
    for command in ("status", "ls", "failed", "retry", "release", "purge", "wait"):
        code, _, err = run("queue", command, "./nope")
        assert code == 3
        assert "teravox queue create" in err
    assert run("execute", "./nope").code == 3
    assert not (tmp_path / "nope").exists()


def test_status_counts_and_names_the_oldest_lease(run: Run, queue: FolderQueue) -> None:
    queue.note_worker(worker(seen=time.time(), rate=0.5, processes=8))
    (lease, _) = queue.lease(60, 2)
    queue.done([lease])
    code, out, _ = run("queue", "status", "q")
    said = dict(line.strip().split("  ", 1) for line in out.splitlines()[1:])
    said = {name: text.strip() for name, text in said.items()}
    assert code == 0
    assert (said["waiting"], said["leased"], said["done"], said["total"]) == ("2", "1", "1", "4")
    assert said["rate"] == "0.5 tasks/s"
    assert said["ETA"] == "6 s"
    assert said["oldest lease"].endswith("held by node-7-12")
    assert said["workers"] == "1 (8 at the same time)"


def worker(*, seen: float, rate: float, processes: int = 1) -> WorkerRecord:
    return WorkerRecord(
        name="node-7-12",
        host="node-7",
        pid=12,
        started=0.0,
        seen=seen,
        processes=processes,
        done=1,
        failed=0,
        rate=rate,
    )


def test_workers_that_fell_silent_do_not_count(queue: FolderQueue) -> None:
    queue.note_worker(worker(seen=time.time() - 600, rate=0.5))
    seen = survey(queue)
    assert (seen.rate, seen.workers, seen.eta_sec) == (None, 0, None)


def test_status_ends_with_one_if_tasks_have_failed(run: Run, queue: FolderQueue) -> None:
    assert run("queue", "status", "q").code == 0
    bury(queue, "wet")
    assert run("queue", "status", "q").code == 1
    code, out, _ = run("queue", "status", "q", "--json")
    said = json.loads(out)
    assert code == 1
    assert (said["waiting"], said["failed"], said["total"], said["rate"]) == (3, 1, 4, None)


def test_looking_changes_nothing(run: Run, queue: FolderQueue, tmp_path: Path) -> None:
    bury(queue, "wet")
    queue.lease(60, 1)
    before = sorted(map(str, (tmp_path / "q").rglob("*")))
    for words in (("status",), ("ls",), ("failed",), ("status", "--json"), ("ls", "--state", "failed")):
        run("queue", words[0], "q", *words[1:])
    assert sorted(map(str, (tmp_path / "q").rglob("*"))) == before


class VagueQueue(MemoryQueue):
    """A queue that knows as little as SQS does."""

    def counts(self) -> Counts:
        return Counts(waiting=3, paused=0, leased=2, done=None, failed=1, is_exact=False)

    def tasks(self) -> Iterator[Held]:
        raise CannotSay("SQS cannot list its tasks")


def test_what_a_queue_cannot_know_is_unknown_and_the_rest_is_about() -> None:
    said = dict(rows(survey(VagueQueue())))
    assert said["waiting"] == "about 3"
    for name in ("done", "total", "rate", "ETA", "oldest lease", "workers"):
        assert said[name] == "unknown"


def test_ls_shows_state_attempt_kind_piece_and_holder(run: Run, queue: FolderQueue) -> None:
    queue.note_worker(worker(seen=time.time(), rate=1.0))
    queue.lease(60, 1)
    (line,) = run("queue", "ls", "q", "--state", "leased").out.splitlines()
    id, state, attempt, kind, piece, holder = line.split()
    assert (len(id), state, attempt, kind, holder) == (32, "leased", "1", "paint", "node-7-12")
    assert piece.endswith(",10,10")
    assert len(run("queue", "ls", "q").out.splitlines()) == 4
    bury(queue, "wet")
    assert len(run("queue", "ls", "q", "--state", "failed").out.splitlines()) == 1


def test_ls_stops_at_its_limit_and_says_so(run: Run, queue: FolderQueue) -> None:
    lines = run("queue", "ls", "q", "--limit", "2").out.splitlines()
    assert len(lines) == 3
    assert lines[-1] == "… and more; see them with --limit 20"
    assert len(run("queue", "ls", "q", "--limit", "4").out.splitlines()) == 4


def test_what_a_queue_holds_cannot_steer_the_terminal_or_show_secrets(
    run: Run, queue: FolderQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIexample")
    bury(queue, "\x1b[2Jgone\nwJalrXUtnFEMIexample")
    for words in (("failed", "q"), ("failed", "q", "--json"), ("failed", "q", "--traceback")):
        out = run("queue", *words).out
        assert "gone" in out
        assert "\x1b" not in out
        assert "wJalr" not in out


def test_failed_groups_tasks_by_what_went_wrong(run: Run, queue: FolderQueue) -> None:
    bury(queue, "wet", "cold")
    code, out, _ = run("queue", "failed", "q")
    assert code == 0
    assert out.startswith("paint: error, ValueError: 2 tasks\n")
    assert "on node-7 by node-7-12, 2001-09-09 01:46:40 UTC, after 2 s" in out
    assert "1 attempt\n" in out
    assert "last words" not in out
    long = run("queue", "failed", "q", "--traceback").out
    assert "    | last words\n    Traceback: here\n    and there\n" in long


def test_failed_shows_what_matches_up_to_its_limit(run: Run, queue: FolderQueue) -> None:
    assert run("queue", "failed", "q").out == "No task has failed.\n"
    bury(queue, "wet", "cold")
    out = run("queue", "failed", "q", "--match", "COLD").out
    assert "1 task\n" in out
    assert "wet" not in out
    assert run("queue", "failed", "q", "--match", "burnt").out == "No failed task matches.\n"
    assert run("queue", "failed", "q", "--limit", "1").out.endswith("… and 1 more; see them with --limit 2\n")


def test_failed_as_json_has_one_line_a_task(run: Run, queue: FolderQueue) -> None:
    bury(queue, "wet", "cold")
    letters = [json.loads(line) for line in run("queue", "failed", "q", "--json").out.splitlines()]
    assert {letter["failures"][0]["text"] for letter in letters} == {"wet", "cold"}
    assert {(letter["kind"], letter["attempts"]) for letter in letters} == {("paint", 1)}


def test_retry_puts_back_what_matches(run: Run, queue: FolderQueue) -> None:
    bury(queue, "wet", "cold")
    code, out, _ = run("queue", "retry", "q", "--match", "wet", "--yes")
    assert code == 0
    assert out == f"This puts 1 task back into {queue.url} to be tried again.\n1 task put back.\n"
    assert (queue.counts().waiting, queue.counts().failed) == (3, 1)
    assert run("queue", "retry", "q", "--match", "burnt").out == "No failed task is there to be put back.\n"


@pytest.mark.parametrize("command", ["retry", "release", "purge"])
def test_nothing_is_done_without_a_yes(
    run: Run, queue: FolderQueue, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    bury(queue, "wet")
    queue.lease(60, 1)
    before = queue.counts()
    code, _, err = run("queue", command, "q")
    assert code == 2
    assert "say --yes" in err
    for refusal in ("n\n", "\n", "", "yo\n"):
        heard = answer(monkeypatch, refusal)
        assert run("queue", command, "q").code == 1
        assert "Go on? [y/N] Nothing was changed." in heard.getvalue()
    assert queue.counts() == before
    answer(monkeypatch, "y\n")
    assert run("queue", command, "q").code == 0
    assert queue.counts() != before


def test_release_frees_leased_and_paused_tasks(run: Run, queue: FolderQueue) -> None:
    lease, _ = queue.lease(600, 2)
    queue.release(lease, pause=600)
    code, out, _ = run("queue", "release", "q", "-y")
    assert code == 0
    assert "frees 1 leased and 1 paused tasks" in out
    assert out.endswith("2 tasks released.\n")
    assert queue.counts().waiting == 4


def test_purge_removes_the_states_it_was_told(run: Run, queue: FolderQueue) -> None:
    bury(queue, "wet")
    queue.lease(60, 1)
    code, out, _ = run("queue", "purge", "q", "--state", "failed,waiting", "--yes")
    assert code == 0
    assert out == f"This removes from {queue.url}, for ever: 1 failed, 2 waiting.\n3 tasks removed.\n"
    assert queue.counts().leased == 1
    run("queue", "purge", "q", "--yes")
    counts = queue.counts()
    assert (counts.leased, counts.failed, counts.done) == (0, 0, 0)
    assert run("queue", "purge", "q", "--state", "lost").code == 2


def test_cp_copies_all_that_is_not_done(run: Run, queue: FolderQueue, tmp_path: Path) -> None:
    queue.lease(60, 1)
    assert run("queue", "cp", "q", "copy").out == f"4 tasks copied to fq://{tmp_path}/copy (0 were there already).\n"
    assert run("queue", "cp", "q", "copy").out.startswith("0 tasks copied")
    assert FolderQueue(tmp_path / "copy").counts().waiting == 4
    assert queue.counts().waiting == 3


def test_mv_moves_what_waits(run: Run, queue: FolderQueue, tmp_path: Path) -> None:
    queue.lease(600, 1)
    code, out, _ = run("queue", "mv", "q", "other")
    assert code == 0
    assert out == f"3 tasks moved to fq://{tmp_path}/other; 1 stayed.\n"
    other = FolderQueue(tmp_path / "other")
    assert (queue.counts().waiting, queue.counts().leased, other.counts().waiting) == (0, 1, 3)
    assert {lease.attempt for lease in other.lease(60, 3)} == {1}


def test_mv_there_and_back_again_loses_nothing(run: Run, queue: FolderQueue) -> None:
    assert run("queue", "mv", "q", "other").out.startswith("4 tasks moved")
    assert run("queue", "mv", "other", "q").out.startswith("4 tasks moved")
    assert (queue.counts().waiting, queue.counts().done) == (4, 0)


def test_mv_drops_what_waits_in_the_destination_already(run: Run, queue: FolderQueue, tmp_path: Path) -> None:
    run("queue", "cp", "q", "other")
    assert "(4 were there already); 0 stayed" in run("queue", "mv", "q", "other").out
    assert FolderQueue(tmp_path / "other").counts().waiting == 4
    assert queue.is_empty()


def test_mv_leaves_what_is_no_message(run: Run, queue: FolderQueue) -> None:
    queue.insert([Entry("0" * 32, b"what?")], lambda _: None)
    code, out, _ = run("queue", "mv", "q", "other")
    assert code == 0
    assert out.startswith("1 task stayed: not messages of teravox.\n4 tasks moved")
    assert (queue.counts().waiting, [lease.attempt for lease in queue.lease(60, 9)]) == (1, [1])


def test_a_queue_is_not_moved_onto_itself(run: Run, queue: FolderQueue) -> None:
    for command in ("cp", "mv"):
        assert run("queue", command, "q", "./q/").err == f"teravox: SOURCE and DEST are the same queue, {queue.url}\n"
    assert queue.counts().waiting == 4


def test_wait_ends_when_nothing_is_left_and_tells_of_failures(run: Run, queue: FolderQueue) -> None:
    queue.done(queue.lease(60, 4))
    assert run("queue", "wait", "q") == (0, "", "")
    queue.insert([Entry("0" * 32, b"{}")], lambda _: None)
    bury(queue, "wet")
    code, out, _ = run("queue", "wait", "q")
    assert code == 1
    assert out == f"The queue is empty, and 1 task failed; see: teravox queue failed {queue.url}\n"


def test_wait_looks_again(run: Run, queue: FolderQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        queue.done(queue.lease(60, 2))

    monkeypatch.setattr("teravox.cli.commands.queue.wait.time", SimpleNamespace(sleep=sleep))
    assert run("queue", "wait", "q", "--interval", "3s").code == 0
    assert slept == [3.0, 3.0]


def test_kinds_are_listed_with_their_options_as_json_schema(run: Run, paint: Run) -> None:
    assert "Make the smaller mips of a layer" in run("kinds").out
    paint("./wall", "--dry-run")
    said = json.loads(run("kinds", "--json", "--plugin", "./paint.py").out)
    name = said["kinds"]["paint"]["$ref"].removeprefix("#/$defs/")
    assert said["$defs"][name]["properties"]["mip"]["minimum"] == 0
    assert said["$defs"][name]["required"] == ["layer"]
