from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from teravox.pipeline.queues import folder_nudge
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.folder_nudge import Nudge, lies_on_ceph

HANGS = 60.0  # seconds


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each file that is brought to the disk."""
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    return calls


@pytest.fixture
def nudge(tmp_path: Path) -> Iterator[Nudge]:
    nudge = Nudge(f"{tmp_path}/nudge")
    yield nudge
    nudge.close()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANGS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let the kernel say that the folder lies on this kind of file system."""
    device = tmp_path.stat().st_dev
    lines = [
        "21 1 0:5 / /dev rw,nosuid shared:2 - devtmpfs udev rw",
        f"96 1 {os.major(device)}:{os.minor(device)} / {tmp_path} rw,relatime shared:49 master:2 - {kind} somewhere rw",
    ]
    said = tmp_path / "mountinfo"
    said.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(folder_nudge, "MOUNTS", said)


def test_files_are_brought_to_the_disk_again_and_again_while_an_operation_waits(
    nudge: Nudge, brought: list[int], tmp_path: Path
) -> None:
    with nudge.watching():
        until(lambda: len(brought) >= 3)
    nudge.close()
    until(lambda: not nudge.is_alive)
    assert list(tmp_path.iterdir()) == []


def test_an_operation_of_another_thread_goes_on_being_watched(nudge: Nudge, brought: list[int]) -> None:
    is_over = threading.Event()

    def wait() -> None:
        with nudge.watching():
            is_over.wait(HANGS)

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: len(brought) >= 1)
    with nudge.watching():
        pass
    before = len(brought)
    until(lambda: len(brought) > before)
    is_over.set()
    thread.join()


def test_nothing_is_written_for_short_operations(
    nudge: Nudge, brought: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_nudge, "LONG", 0.5)
    for _ in range(100):
        with nudge.watching():
            pass
    nudge.close()
    until(lambda: not nudge.is_alive)
    assert brought == []


def test_what_keeps_a_nudge_from_the_disk_is_left_to_the_operation_itself(brought: list[int], tmp_path: Path) -> None:
    nudge = Nudge(f"{tmp_path}/gone/nudge")
    with nudge.watching():
        time.sleep(5 * folder_nudge.LONG)
        assert nudge.is_alive
        (tmp_path / "gone").mkdir()
        until(lambda: len(brought) >= 1)
    nudge.close()


@pytest.mark.parametrize(
    ("kind", "is_ceph"),
    [("ceph", True), ("fuse.ceph-fuse", True), ("ext4", False), ("nfs4", False), ("fuse.sshfs", False)],
)
def test_the_file_system_of_a_folder_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, is_ceph: bool
) -> None:
    mounts(tmp_path, monkeypatch, kind)
    assert lies_on_ceph(str(tmp_path)) == is_ceph


def test_without_a_list_of_mounts_nothing_is_ceph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_nudge, "MOUNTS", tmp_path / "none")
    assert not lies_on_ceph(str(tmp_path))


def test_a_queue_on_cephfs_nudges_it_while_a_lease_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brought: list[int]
) -> None:
    mounts(tmp_path, monkeypatch, "fuse.ceph-fuse")
    queue = FolderQueue(tmp_path / "q", create=True)
    queue.insert([Entry("0" * 32, b"{}")], lambda _: None)
    rename = os.rename

    def wait_for_the_journal(old: str, new: str) -> None:
        until(lambda: len(brought) >= 1)
        rename(old, new)

    brought.clear()
    monkeypatch.setattr(os, "rename", wait_for_the_journal)
    (lease,) = queue.lease(600)
    assert queue.done([lease]) == [True]
    queue.close()
