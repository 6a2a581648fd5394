"""T3: tasks that harm whoever runs them end among the dead letters, and the others are done."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from faults.drills import executions
from faults.workers import KINDS, fleet, until

from teravox.pipeline.failure import DeadLetter, Sort
from teravox.pipeline.job import AnyJob
from teravox.pipeline.message import encode
from teravox.pipeline.queues.contract import Counts, Entry
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.submit import submit

pytestmark = pytest.mark.faults

TRIAL = str(KINDS / "trial.py")
TASKS = 400


class Poison(NamedTuple):
    """What a bad task does, and what its dead letter must say."""

    sort: Sort
    said: str
    attempts: int = 3


WORDS = {
    "raise": Poison("error", "raised"),
    "exit": Poison("crashed", "SystemExit: 7"),
    "segfault": Poison("crashed", "SIGSEGV"),
    "kill": Poison("crashed", "SIGKILL"),
    "hang": Poison("hung", "--task-timeout"),
    "memory": Poison("out of memory", "MemoryError"),
    "limit": Poison("out of memory", "MemoryError"),
    "eat:500000000": Poison("out of memory", "may use 400 MB (--memory)"),
    f"needs:{10**15}": Poison("out of memory", "this task needs 1.0 PB"),
    "bad": Poison("bad input", "has bad input", attempts=1),
}
MESSAGES: dict[str, tuple[Callable[[dict[str, object]], bytes], Poison]] = {
    "0" * 32: (lambda _: b"", Poison("bad message", "empty")),
    "1" * 32: (lambda _: b'{"v":1,"kind":', Poison("bad message", "is not a task")),
    "2" * 32: (lambda good: forge(good, kind="os system"), Poison("bad message", "unknown kind 'os system'")),
    "3" * 32: (lambda good: forge(good, shell="true"), Poison("bad message", "unknown field `shell`")),
    "4" * 32: (lambda good: forge(good, piece={"number": "one"}), Poison("bad message", "Expected `int`")),
}


def forge(good: dict[str, object], **changes: object) -> bytes:
    return json.dumps(good | changes).encode()


def trial(tmp_path: Path, words: list[str], seconds: float = 0.0) -> AnyJob:
    kind = Registry([TRIAL]).find("trial")
    assert kind is not None
    return msgspec.convert({"layer": f"file://{tmp_path}/layer", "words": words, "seconds": seconds}, kind)


def put(job: AnyJob, queue: Path) -> FolderQueue:
    tasks = FolderQueue(queue, create=True)
    submit(job, "trial", tasks, resume=False, command="", progress=lambda _: None)
    return tasks


def test_poison_ends_among_the_dead_letters_and_stops_nobody(tmp_path: Path, figures: Callable[[str], None]) -> None:
    words = ["ok"] * (TASKS - len(MESSAGES))
    bad = {n * len(words) // len(WORDS): word for n, word in enumerate(WORDS)}
    for number, word in bad.items():
        words[number] = word
    job = trial(tmp_path, words)
    queue = put(job, tmp_path / "q")
    good = json.loads(next(encode("trial", job, job.pieces()[:1])).body)
    queue.insert([Entry(id, make(good)) for id, (make, _) in MESSAGES.items()], lambda _: None)
    began = time.time()
    with fleet(tmp_path / "q") as workers:
        for _ in range(2):
            workers.start(
                *("--plugin", TRIAL, "--exit-on-empty", "--quiet", "-p", "2"),
                *("--lease-sec", "10", "--task-timeout", "4", "--memory", "800000000"),
            )
        codes = workers.wait()

    failed = len(WORDS) + len(MESSAGES)
    letters = {letter.id: letter for letter in queue.dead()}
    attempts = sum(letter.attempts for letter in letters.values())
    status = subprocess.run(
        [sys.executable, "-m", "teravox", "queue", "status", str(tmp_path / "q")],
        capture_output=True,
        text=True,
        check=False,
    )
    figures(
        f"T3: {TASKS:,} tasks, {queue.counts().done:,} done, {len(letters)} of {failed} bad ones dead "
        f"after {attempts} attempts; workers end with {codes}, queue status with {status.returncode}"
    )
    assert status.returncode == 1, status.stderr
    assert queue.counts() == Counts(
        waiting=0, paused=0, leased=0, done=TASKS - failed, failed=failed, is_exact=True, foreign=0
    )
    assert set(codes) <= {0, 1} and 1 in codes  # 1 of who gave a task up
    begun = executions(tmp_path / "layer")
    for number, word in enumerate(words):
        is_refused = word.startswith("needs")
        assert begun[number] == (0 if is_refused else WORDS[word].attempts if number in bad else 1), (number, word)
    ids = [entry.id for entry in encode("trial", job, job.pieces())]
    for number, word in bad.items():
        check_letter(letters[ids[number]], WORDS[word], began)
    for id, (_, poison) in MESSAGES.items():
        check_letter(letters[id], poison, began)


def check_letter(letter: DeadLetter, poison: Poison, began: float) -> None:
    assert letter.attempts == poison.attempts, letter
    assert [failure.attempt for failure in letter.failures] == list(range(1, poison.attempts + 1)), letter
    for failure in letter.failures:
        assert failure.sort == poison.sort, failure
        assert poison.said in failure.text, failure
        assert failure.host == socket.gethostname()
        assert failure.worker.startswith(failure.host)
        assert began <= failure.started <= failure.started + failure.seconds <= time.time()


def test_poison_that_kills_whole_workers_is_given_up_by_the_next(
    tmp_path: Path, figures: Callable[[str], None]
) -> None:
    words = ["ok"] * 50
    words[10] = words[30] = "orphan"
    job = trial(tmp_path, words)
    queue = put(job, tmp_path / "q")
    options = ("--plugin", TRIAL, "--exit-on-empty", "--quiet", "--lease-sec", "2")
    with fleet(tmp_path / "q") as workers:
        workers.start(*options)
        workers.start(*options)

        def is_over() -> bool:
            for _ in range(2 - len(workers.running)):
                if not queue.is_empty():
                    workers.start(*options)
            return queue.is_empty()

        until(is_over, "the queue is empty", lambda: workers.said)
        workers.wait()
        lost = sum(worker.wait() == -signal.SIGKILL for worker in workers.workers)
    figures(f"T3: 2 tasks that kill whole workers: {lost} workers lost, {queue.counts().failed} dead letters")
    begun = executions(tmp_path / "layer")
    assert begun == Counter(dict.fromkeys(range(50), 1) | {10: 3, 30: 3})
    assert lost == 6
    letters = list(queue.dead())
    assert len(letters) == 2
    for letter in letters:
        assert letter.attempts == 3
        assert letter.failures[-1].sort == "lost"
        assert "it was leased 3 times" in letter.failures[-1].text
    assert queue.counts().done == 48
