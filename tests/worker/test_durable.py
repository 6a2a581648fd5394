"""`--durable`: what a worker and its children write is brought to the disk; and that it is, is seen from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from teravox.pipeline.storage.durability import durable_writes, is_durable
from teravox.pipeline.storage.open import open_store

TRIAL = str(Path(__file__).parent.parent / "kinds" / "trial.py")


def traced(folder: Path, *options: str) -> list[tuple[str, str]]:
    """The calls that put files in place or on the disk, and their paths, of a job of two tasks that is done here and now."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = folder / "trace"
    command = [
        *(strace, "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=fsync,rename,renameat,renameat2"),
        *(sys.executable, "-m", "teravox", "--plugin", TRIAL, "trial", f"{folder}/layer", "--words", "ok,ok"),
        *("--quiet", *options),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip(f"nothing can be traced here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return re.findall(r"(fsync|rename)[at2]*\(.*?(?:<|\")([^>\"]*)", trace.read_text())


def test_every_file_of_a_durable_job_is_on_the_disk_before_it_is_in_its_place(tmp_path: Path) -> None:
    calls = traced(tmp_path, "--durable")
    renamed = [path for call, path in calls if call == "rename" and f"{tmp_path}/layer/" in path]
    synced = [path for call, path in calls if call == "fsync"]
    assert len([path for path in renamed if "/out/" in path]) == 2
    assert len(renamed) > 2  # also what is written before the first task
    assert set(renamed) <= set(synced)
    assert synced.count(f"{tmp_path}/layer/out") >= 2
    assert any("/ledger/" in path for path in synced)
    for path in renamed:
        assert calls.index(("fsync", path)) < calls.index(("rename", path))


def test_nothing_waits_for_the_disk_that_need_not(tmp_path: Path) -> None:
    calls = traced(tmp_path)
    assert len([path for call, path in calls if call == "rename" and f"{tmp_path}/layer/out" in path]) == 2
    assert [path for call, path in calls if call == "fsync"] == []


def test_all_stores_of_a_process_follow_its_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    store = open_store(str(tmp_path))
    with durable_writes(True):
        assert is_durable()
        with durable_writes(False):
            assert is_durable()
        store.put("a/k", b"x")
        assert len(synced) == 3  # the new folder, the file and its name
        store.append("a/l", b"x")
        assert len(synced) == 4
    assert not is_durable()
    store.put("a/k", b"y")
    assert len(synced) == 4


def test_durable_means_nothing_for_tasks_that_others_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "teravox", "--plugin", TRIAL, "trial", f"{tmp_path}/layer", "--words", "ok"),
            *("--durable", "--queue", f"{tmp_path}/q"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--durable: means nothing with --queue; say it to `teravox execute`" in done.stderr
