"""T2: machines are taken away from workers, by signals and by a real SLURM; the tasks go back at once."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.trials import WORKER, check_ledger, executions, expected, outputs, put, trial
from faults.workers import WorkerProcess, fleet, until
from servers.daemon import or_skip
from servers.slurm import Slurm, slurm

from teravox.pipeline.queues.contract import Counts
from teravox.pipeline.queues.folder import FolderQueue

pytestmark = pytest.mark.faults

SCRIPT = Path(__file__).parents[2] / "slurm" / "worker.sbatch"
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


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    with or_skip(), slurm() as cluster:
        yield cluster


@pytest.fixture
def array(cluster: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Hands in our own array script, with the `teravox` of this Python; returns the job's number."""
    found = shutil.which("teravox", path=str(Path(sys.executable).parent))
    assert found is not None
    monkeypatch.setenv("PATH", f"{Path(found).parent}:{os.environ['PATH']}")

    def submit(*options: str, worker: tuple[str, ...]) -> str:
        log = f"--output={tmp_path}/log-%a"
        return cluster.submit(log, f"--chdir={tmp_path}", *options, SCRIPT, tmp_path / "q", *WORKER, *worker)

    return submit


@pytest.mark.server
def test_a_cancelled_array_task_gives_its_lease_back_and_the_others_do_all(
    tmp_path: Path, cluster: Slurm, array: Callable[..., str], figures: Callable[[str], None]
) -> None:
    queue = filled(tmp_path, 40)
    job = array("--array=0-3", "--mem=500M", worker=LONG_LEASE)
    until(are_under_way(tmp_path, 4), "four tasks are under way", lambda: said(tmp_path))
    assert queue.counts() == counted(waiting=36, leased=4)
    started = time.monotonic()
    cluster.call("scancel", f"{job}_2")
    until(lambda: queue.counts().leased == 3, "the lease is given back", lambda: said(tmp_path))
    seconds = time.monotonic() - started
    assert queue.counts() == counted(waiting=37, leased=3)
    assert sorted(task.attempt for task in queue.tasks()) == [0] * 37 + [1] * 3
    until(lambda: cluster.states(job).get(f"{job}_2") == "CANCELLED", "SLURM knows that it is cancelled")
    (tmp_path / "gate").touch()
    until(lambda: not cluster.running(job), "the others end", lambda: said(tmp_path))
    assert queue.counts() == counted(waiting=0, leased=0, done=40)
    begun = executions(layer(tmp_path))
    assert set(begun) == set(range(40))
    assert begun.total() == 41
    assert outputs(layer(tmp_path)) == expected(40)
    check_ledger(layer(tmp_path), trial(layer(tmp_path), 40, gate=str(tmp_path / "gate")))
    assert [cluster.exit_code(f"{job}_{part}") for part in (0, 1, 3)] == ["0:0"] * 3
    assert " 0 done, 0 failed, 0 tried again, 1 given back" in (tmp_path / "log-2").read_text()
    figures(f"T2: scancel of 1 of 4 array tasks: its lease was free after {seconds:.2f} s, 40 of 40 tasks done")


@pytest.mark.server
def test_a_preempted_array_task_gives_its_lease_back_and_is_queued_again(
    tmp_path: Path, cluster: Slurm, array: Callable[..., str]
) -> None:
    queue = filled(tmp_path, 1)
    job = array("--array=0", "--mem=500M", worker=LONG_LEASE)
    until(are_under_way(tmp_path, 1), "the task is under way", lambda: said(tmp_path))
    cluster.call("scontrol", "requeue", f"{job}_0")
    until(lambda: queue.counts() == counted(waiting=1, leased=0), "the lease is given back", lambda: said(tmp_path))
    assert {task.attempt for task in queue.tasks()} == {0}
    until(lambda: cluster.states(job).get(f"{job}_0") == "PENDING", "SLURM will start it again")
    cluster.call("scancel", job)


@pytest.mark.server
def test_a_task_that_needs_more_than_slurm_allots_is_refused(
    tmp_path: Path, cluster: Slurm, array: Callable[..., str]
) -> None:
    (tmp_path / "gate").touch()
    queue = filled(tmp_path, 1, needs=400_000_000)
    job = array("--array=0", "--mem=300M", worker=("--tries", "1"))
    until(lambda: queue.counts().failed == 1, "the task fails", lambda: said(tmp_path))
    (letter,) = queue.dead()
    assert letter.failures[-1].sort == "out of memory"
    assert "this task needs 400 MB and may use 315 MB (the SLURM allocation)" in letter.failures[-1].text
    assert not executions(layer(tmp_path))
    until(lambda: not cluster.running(job), "the worker ends", lambda: said(tmp_path))
    assert cluster.exit_code(f"{job}_0") == "1:0"


def said(tmp_path: Path) -> str:
    """What the workers of an array have printed so far."""
    return "".join(log.read_text(errors="replace") for log in sorted(tmp_path.glob("log-*")))
