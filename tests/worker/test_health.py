"""Whoever looks after workers can tell by a file whether one is well."""

from __future__ import annotations

from pathlib import Path

import pytest

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.worker.health import BEAT_EVERY, Health
from teravox.pipeline.worker.settings import WorkerSettings
from teravox.pipeline.worker.supervisor import work


def test_a_worker_touches_its_file(tmp_path: Path) -> None:
    file = tmp_path / "well"
    queue = FolderQueue(tmp_path / "q", create=True)

    outcome = work(queue, WorkerSettings(exit_on_empty=True, quiet=True, health_file=str(file)))

    assert outcome.exit_code == 0
    assert file.exists()


def test_a_worker_goes_on_touching_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Health, "begin", lambda _: None)
    file = tmp_path / "well"

    work(
        FolderQueue(tmp_path / "q", create=True), WorkerSettings(exit_on_empty=True, quiet=True, health_file=str(file))
    )

    assert file.exists()


def test_a_file_that_cannot_be_written_is_refused_before_a_task_is_taken(tmp_path: Path) -> None:
    queue = FolderQueue(tmp_path / "q", create=True)

    with pytest.raises(BadUsage, match=r"--health-file: .*nowhere/well cannot be written: No such file or directory"):
        work(queue, WorkerSettings(exit_on_empty=True, quiet=True, health_file=str(tmp_path / "nowhere" / "well")))


def test_beats_come_no_more_often_than_they_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("teravox.pipeline.worker.health.time.monotonic", lambda: now)
    file = tmp_path / "well"
    health = Health(str(file))
    seen = []
    for now in (100.0, 100.0 + BEAT_EVERY / 2, 100.0 + BEAT_EVERY):  # noqa: B007  # the clock reads it
        health.beat()
        seen.append(file.exists())
        file.unlink(missing_ok=True)

    assert seen == [True, False, True]


def test_a_disk_that_fails_ends_no_worker(tmp_path: Path) -> None:
    Health(str(tmp_path / "gone" / "well")).beat()

    assert not (tmp_path / "gone").exists()
