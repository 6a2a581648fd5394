"""T7: whatever fails or is killed at whichever step, a task is whole and in one place, and can be done again."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from teravox.pipeline.errors import QueueTrouble
from teravox.pipeline.failure import Failure
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.folder import FolderQueue

ENTRIES = [
    Entry(hashlib.sha256(bytes([n])).hexdigest()[:32], b'{"number":%d,"pad":"%s"}' % (n, b"x" * 3000)) for n in range(3)
]
FAILURE = Failure(attempt=1, sort="error", error="E", text="t", host="h", worker="w", started=0.0, seconds=0.0)


def insert(queue: FolderQueue) -> None:
    queue.insert(ENTRIES, lambda _: None)


def lease(queue: FolderQueue) -> None:
    queue.lease(600, 3)


def renew(queue: FolderQueue) -> None:
    queue.renew(queue.lease(600, 3), 900)


def done(queue: FolderQueue) -> None:
    queue.done(queue.lease(600, 3))


def release(queue: FolderQueue) -> None:
    for each in queue.lease(600, 3):
        queue.release(each, pause=5.0, failure=FAILURE)


def fail(queue: FolderQueue) -> None:
    for each in queue.lease(600, 3):
        queue.fail(each, FAILURE)


def retry(queue: FolderQueue) -> None:
    fail(queue)
    queue.retry(lambda _: True)


OPERATIONS: tuple[Callable[[FolderQueue], None], ...] = (insert, lease, renew, done, release, fail, retry)


def places(root: Path) -> dict[str, list[Path]]:
    """Where each task lies; every file that can be seen is whole."""
    found: dict[str, list[Path]] = {entry.id: [] for entry in ENTRIES}
    bodies = {entry.id: entry.body for entry in ENTRIES}
    for path in [*root.glob("queue/*"), *root.glob("failed/*"), *root.glob("done/*/*")]:
        id = path.name.partition("--")[2][:32] or path.name[:32]
        assert path.read_bytes() == bodies[id], path
        found[id].append(path)
    return found


def finish(root: Path) -> None:
    """A new process does all the work; nothing is lost and nothing is there twice."""
    queue = FolderQueue(root)
    insert(queue)
    queue.retry(lambda _: True)
    queue.release_all()
    queue.done(queue.lease(600, 10))
    counts = queue.counts()
    assert (counts.waiting, counts.paused, counts.leased, counts.done, counts.failed) == (0, 0, 0, 3, 0)
    assert {len(paths) for paths in places(root).values()} == {1}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda operate: operate.__name__)
def test_a_step_that_fails_is_told_and_harms_nothing(
    tmp_path: Path, operate: Callable[[FolderQueue], None], number: int
) -> None:
    for step in count():
        root = tmp_path / str(step)
        queue = FolderQueue(root, create=True)
        if operate is not insert:
            insert(queue)
        fault = Fault(queue, step, number)
        trouble = fault.operate(operate)
        if not fault.has_struck:
            break
        if trouble is not None:
            assert str(root) in trouble
            assert os.strerror(number) in trouble
        most = {0, 1} if operate is insert else {1}
        assert {len(paths) for paths in places(root).values()} <= most
        finish(root)
    assert step > 2


class Fault:
    """Lets one action of a queue on its disk fail."""

    def __init__(self, queue: FolderQueue, step: int, number: int) -> None:
        self.has_struck = False
        self._queue = queue
        self._left = step
        self._number = number
        words: dict[str, Callable[..., Any]] = queue._disk._words  # type: ignore[assignment]  # each word has its own type
        for word, act in words.items():
            words[word] = self._wrap(act)

    def operate(self, operate: Callable[[FolderQueue], None]) -> str | None:
        """What the queue says of it."""
        try:
            operate(self._queue)
        except QueueTrouble as trouble:
            return str(trouble)
        return None

    def _wrap(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def perform(*words: Any) -> Any:  # Any: each action has its own arguments
            self._left -= 1
            if self._left == -1:
                self.has_struck = True
                raise OSError(self._number, os.strerror(self._number), str(words[0]) if words else "queue")
            return act(*words)

        return perform


MUTATING = "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,utimensat"


@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda operate: operate.__name__)
def test_a_kill_at_any_system_call_leaves_the_old_or_the_new(
    tmp_path: Path, operate: Callable[[FolderQueue], None]
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        if os.environ.get("CI"):
            pytest.fail("strace is missing")
        pytest.skip("strace is not installed")
    ended = False
    for nth in range(1, 200):
        root = tmp_path / str(nth)
        queue = FolderQueue(root, create=True)
        if operate is not insert:
            insert(queue)
        script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_atomic as t; "
        script += f"t.{operate.__name__}(t.FolderQueue({str(root)!r}))"
        killed = subprocess.run(
            [
                *(strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={MUTATING},write"),
                *("-e", f"inject={MUTATING},write:signal=KILL:when={nth}"),
                *(sys.executable, "-B", "-c", script),
            ],
            check=False,
            capture_output=True,
        )
        if killed.returncode == 0:
            ended = True
            break
        assert killed.returncode in {-9, 137}, killed.stderr.decode()
        most = {0, 1} if operate is insert else {1}
        assert {len(paths) for paths in places(root).values()} <= most
        finish(root)
    assert ended
    assert nth > 3


def test_readers_never_see_half_a_task(tmp_path: Path) -> None:
    root = tmp_path / "q"
    writer = FolderQueue(root, create=True)
    insert(writer)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for each in writer.lease(600, 3):
                writer.fail(each, FAILURE)
            writer.retry(lambda _: True)
            insert(writer)

    thread = threading.Thread(target=write)
    thread.start()
    reader = FolderQueue(root)
    bodies = {entry.id: entry.body for entry in ENTRIES}
    seen = 0
    try:
        while seen < 25_000:
            for held, body in reader.messages():
                assert body == bodies[held.id]
                seen += 1
            for letter in reader.dead():
                assert letter.body == bodies[letter.id]
                seen += 1
    finally:
        stop.set()
        thread.join()
