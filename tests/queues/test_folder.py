from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from teravox.pipeline.errors import QueueTrouble
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.folder import FolderQueue

ENTRIES = [Entry(hashlib.sha256(str(n).encode()).hexdigest()[:32], b'{"n":%d}' % n) for n in range(10)]


@pytest.fixture
def queue(tmp_path: Path) -> FolderQueue:
    queue = FolderQueue(tmp_path / "q", create=True)
    queue.insert(ENTRIES, lambda _: None)
    return queue


def ptq(command: str, queue: FolderQueue) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ptq"), command, str(queue.root)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_ptq_shows_our_queue(queue: FolderQueue) -> None:
    queue.lease(600, 3)
    said = ptq("status", queue)
    assert "Enqueued: 10" in said
    assert "Leased: 3" in said


def test_a_release_by_ptq_ends_the_lease_of_its_holder(queue: FolderQueue) -> None:
    leases = queue.lease(600, 3)
    ptq("release", queue)
    assert queue.done(leases) == [False] * 3
    assert queue.renew(leases, 600) == [None] * 3
    counts = queue.counts()
    assert (counts.waiting, counts.leased, counts.foreign) == (10, 0, 0)
    assert sorted(lease.attempt for lease in queue.lease(600, 10)) == [1] * 7 + [2] * 3


def test_ptq_rezero_and_purge_leave_a_queue_that_works(queue: FolderQueue) -> None:
    ptq("rezero", queue)
    assert queue.counts().waiting == 10
    ptq("purge", queue)
    assert queue.is_empty()
    assert queue.insert(ENTRIES, lambda _: None).new == 10


def test_foreign_files_are_left_alone_and_counted(queue: FolderQueue) -> None:
    names = [".nfs000000001", ".DS_Store", "0--5f0c954e-8ad5-4a0a-9a53-0b4c5d6f1a11.json", "x" * 200, "0--.json"]
    for name in names:
        (queue.root / "queue" / name).write_text("{}")
    assert queue.counts().foreign == len(names)
    assert len(queue.lease(600, 20)) == 10
    assert queue.lease(600, 20) == []
    assert {path.name for path in (queue.root / "queue").iterdir()} >= set(names)


def test_a_link_in_place_of_a_task_is_not_followed(queue: FolderQueue, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    queue.purge(["waiting"])
    (queue.root / f"queue/0--{'a' * 32}.json").symlink_to(secret)
    (lease,) = queue.lease(600)
    assert lease.body == b""
    assert secret.read_text() == "the secret"


def test_a_queue_whose_folder_is_a_link_is_refused(tmp_path: Path) -> None:
    queue = FolderQueue(tmp_path / "q", create=True)
    (queue.root / "failed").rmdir()
    (queue.root / "failed").symlink_to(tmp_path)
    with pytest.raises(QueueTrouble, match="links are not followed"):
        FolderQueue(tmp_path / "q")


def test_a_folder_that_is_no_queue_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(QueueTrouble, match=f"teravox queue create {tmp_path}"):
        FolderQueue(tmp_path)


def test_the_folders_are_the_owners_alone(queue: FolderQueue) -> None:
    for folder in queue.root.iterdir():
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in (queue.root / "queue").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_there_is_one_file_for_a_task_at_any_time(queue: FolderQueue) -> None:
    def files() -> int:
        return sum(len(names) for _, _, names in os.walk(queue.root))

    idle = files() - 10
    assert idle <= 1
    leases = queue.lease(600, 6)
    queue.done(leases[:3])
    assert files() <= 10 + 1


def test_an_idle_worker_does_not_read_the_folder_again(queue: FolderQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.lease(600, 10)
    scans: list[int] = []
    scan = queue._disk.scan
    monkeypatch.setattr("teravox.pipeline.queues.folder_steps.QUIET", -10.0)

    def count(most: int) -> list[str]:
        scans.append(most)
        return scan(most)

    monkeypatch.setitem(queue._disk._words, "scan", count)
    assert queue.lease(600) == []
    first = len(scans)
    assert first > 0
    assert queue.lease(600) == []
    assert len(scans) == first
    queue.insert([Entry("f" * 32, b"{}")], lambda _: None)
    assert len(queue.lease(600)) == 1


def test_a_listing_that_fails_does_not_hide_the_tasks_it_would_have_shown(
    queue: FolderQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teravox.pipeline.queues.folder_steps.QUIET", -10.0)  # a pass that finds nothing is believed
    answers: Iterator[OSError | list[str]] = iter(
        [OSError(errno.EIO, os.strerror(errno.EIO), "queue"), []]
    )  # an iterator that failed has ended
    scan = queue._disk.scan

    def fail_once(most: int) -> list[str]:
        answer = next(answers, None)
        if isinstance(answer, OSError):
            raise answer
        return scan(most) if answer is None else answer

    monkeypatch.setitem(queue._disk._words, "scan", fail_once)
    with pytest.raises(QueueTrouble, match="Input/output error"):
        queue.lease(600)
    assert len(queue.lease(600, 20)) == 10


def test_a_task_that_changes_its_name_during_a_listing_is_not_inserted_again(
    queue: FolderQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is read in parts: a name moves from a part that comes later to one that has been read."""
    (lease,) = queue.lease(600)
    names = queue._disk.names
    listings = count(1)

    def lose_one(folder: str) -> Iterator[str]:
        is_first = folder == "queue" and next(listings) == 1
        return (name for name in names(folder) if not (is_first and lease.id in name))

    monkeypatch.setattr(queue._disk, "names", lose_one)
    inserted = queue.insert(ENTRIES, lambda _: None)
    assert (inserted.new, inserted.known) == (0, 10)


def test_a_stale_listing_does_not_hold_a_lease_up_for_ever(queue: FolderQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [path.name for path in (queue.root / "queue").iterdir()]
    queue.purge(["waiting"])
    looks = iter(lambda: None, 0)
    monkeypatch.setitem(queue._disk._words, "scan", lambda _most: list(names) if next(looks) is None else [])
    assert queue.lease(600) == []


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.5, 0.999])
def test_a_lease_is_never_shorter_than_asked(
    queue: FolderQueue, monkeypatch: pytest.MonkeyPatch, fraction: float
) -> None:
    monkeypatch.setitem(queue._disk._words, "now", lambda: 1_700_000_000 + fraction)
    (lease,) = queue.lease(1.0)
    assert lease.deadline >= 1_700_000_001 + fraction


def test_the_clock_of_the_file_server_decides(queue: FolderQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    leases = queue.lease(600, 10)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    other = FolderQueue(queue.root)
    assert other.lease(600) == []
    assert queue.done(leases) == [True] * 10
