"""T2: machines are taken away from workers, by signals; the tasks go back at once. What SLURM does: test_slurm.py."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.trials import WORKER, executions, expected, outputs, put, trial
from faults.workers import WorkerProcess, fleet, until

from teravox.pipeline.queues.contract import Counts
from teravox.pipeline.queues.folder import FolderQueue

pytestmark = pytest.mark.faults

LONG_LEASE = ("--lease-sec", "600")  # nobody may have to wait for it


def filled(tmp_path: Path, count: int, **options: object) -> FolderQueue:
    """A queue of tasks that wait in their middle until the file `gate` is there."""
    queue = FolderQueue(tmp_path / "q", create=True)
    put(trial(layer(tmp_path), count, gate=str(tmp_path / "gate"), **options), queue)
    return queue


def layer(tmp_path: Path) -> str:
    return f"file://{tmp_path}/layer"


def are_under_way(tmp_path: Path, count: int) -> Callable[[], bool]:
    return lambda: executions(layer(tmp_path)).total() >= count


def counted(waiting: int, leased: int, done: int = 0) -> Counts:
    return Counts(waiting=waiting, paused=0, leased=leased, done=done, failed=0, is_exact=True)


def stop_once(worker: WorkerProcess) -> None:
    """SIGTERM, and wait until the worker has heard it."""
    worker.signal(signal.SIGTERM)
    until(lambda: "stopping, as SIGTERM asks" in worker.said, "the worker stops", lambda: worker.said)


def test_the_leases_of_twenty_preempted_workers_are_free_at_once(
    tmp_path: Path, figures: Callable[[str], None]
) -> None:
    queue = filled(tmp_path, 30)
    with fleet(tmp_path / "q") as workers:
        for _ in range(20):
            workers.start(*WORKER, *LONG_LEASE)
        until(are_under_way(tmp_path, 20), "twenty tasks are under way", lambda: workers.said)
        assert queue.counts() == counted(waiting=10, leased=20)
        started = time.monotonic()
        for worker in workers.workers:
            worker.signal(signal.SIGTERM)
        until(lambda: queue.counts().leased == 0, "all leases are given back", lambda: workers.said)
        seconds = time.monotonic() - started
        assert workers.wait() == [0] * 20, workers.said[-5000:]
        assert workers.said.count(" 0 done, 0 failed, 0 tried again, 1 given back") == 20
    assert queue.counts() == counted(waiting=30, leased=0)
    assert {task.attempt for task in queue.tasks()} == {0}
    assert [lease.attempt for lease in queue.lease(600, most=40)] == [1] * 30
    figures(f"T2: SIGTERM to 20 workers mid task: 20 of 20 leases free for others after {seconds:.2f} s, exit code 0")


def test_a_second_signal_ends_a_worker_that_waits_for_its_task(tmp_path: Path) -> None:
    queue = filled(tmp_path, 2)
    with fleet(tmp_path / "q") as workers:
        worker = workers.start(*WORKER, *LONG_LEASE, "--grace", "3600")
        until(are_under_way(tmp_path, 1), "a task is under way", lambda: worker.said)
        stop_once(worker)
        assert queue.counts() == counted(waiting=1, leased=1)
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 130
    assert queue.counts() == counted(waiting=2, leased=0)
    assert executions(layer(tmp_path)).total() == 1


def test_a_task_that_ends_within_the_grace_is_done(tmp_path: Path) -> None:
    queue = filled(tmp_path, 2)
    with fleet(tmp_path / "q") as workers:
        worker = workers.start(*WORKER, *LONG_LEASE, "--grace", "3600")
        until(are_under_way(tmp_path, 1), "a task is under way", lambda: worker.said)
        stop_once(worker)
        (tmp_path / "gate").touch()
        assert worker.wait() == 0
        assert " 1 done, 0 failed, 0 tried again, 0 given back" in worker.said
    assert queue.counts() == counted(waiting=1, leased=0, done=1)
    (number,) = executions(layer(tmp_path))
    assert outputs(layer(tmp_path)) == {key: value for key, value in expected(2).items() if key == f"out/{number}"}
