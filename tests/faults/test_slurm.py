"""Arrays of workers on a real SLURM: cancelled, killed, queued again, and given too little memory."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from faults.killing import differing
from faults.pipelines import results_in, run_undisturbed, verify, write_pipeline
from faults.slurm_runs import SlurmRun
from faults.trials import WORKER, check_ledger, executions, expected, outputs, put, trial
from faults.workers import until
from servers.daemon import or_skip
from servers.slurm import Slurm, slurm

from teravox.pipeline.queues.contract import Counts
from teravox.pipeline.queues.folder import FolderQueue

pytestmark = [pytest.mark.faults, pytest.mark.server]

SCRIPT = Path(__file__).parents[2] / "slurm" / "worker.sbatch"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    with or_skip(), slurm() as cluster:
        yield cluster


@pytest.fixture
def teravox(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command of this Python, which jobs find first, too."""
    found = shutil.which("teravox", path=str(Path(sys.executable).parent))
    assert found is not None
    monkeypatch.setenv("PATH", f"{Path(found).parent}:{os.environ['PATH']}")
    return Path(found)


@pytest.fixture
def array(cluster: Slurm, tmp_path: Path, teravox: Path) -> Callable[..., str]:
    """Hands in our own array script; returns the job's number."""

    def submit(*options: str, worker: tuple[str, ...]) -> str:
        here = (f"--output={tmp_path}/log-%a", f"--chdir={tmp_path}", "--cpus-per-task=1")
        return cluster.submit(*here, *options, SCRIPT, tmp_path / "q", *WORKER, *worker)

    return submit


def filled(tmp_path: Path, count: int, **options: object) -> FolderQueue:
    """A queue of tasks that wait in their middle until the file `gate` is there."""
    queue = FolderQueue(tmp_path / "q", create=True)
    put(trial(layer(tmp_path), count, gate=str(tmp_path / "gate"), **options), queue)
    return queue


def layer(tmp_path: Path) -> str:
    return f"file://{tmp_path}/layer"


def counted(waiting: int, leased: int, done: int = 0) -> Counts:
    return Counts(waiting=waiting, paused=0, leased=leased, done=done, failed=0, is_exact=True)


def said(tmp_path: Path) -> str:
    """What the workers of an array have printed so far."""
    return "".join(log.read_text(errors="replace") for log in sorted(tmp_path.glob("log-*")))


def worker_of(queue: FolderQueue, element: str) -> int:
    """The process of the worker that is an element of an array, as `7_2`."""
    (pid,) = [
        record.pid
        for record in queue.workers()
        if (environ := psutil.Process(record.pid).environ())
        and f"{environ['SLURM_ARRAY_JOB_ID']}_{environ['SLURM_ARRAY_TASK_ID']}" == element
    ]
    return pid


def test_a_cancelled_a_killed_and_a_requeued_element_lose_nothing(
    tmp_path: Path, cluster: Slurm, array: Callable[..., str], figures: Callable[[str], None]
) -> None:
    queue = filled(tmp_path, 40)
    job = array("--array=0-3", "--mem-per-cpu=500M", worker=("--lease-sec", "5"))
    until(lambda: executions(layer(tmp_path)).total() >= 4, "four tasks are under way", lambda: said(tmp_path))
    assert queue.counts() == counted(waiting=36, leased=4)

    killed = worker_of(queue, f"{job}_1")  # before the others, which are asked for their environment too, end
    started = time.monotonic()
    cluster.call("scancel", f"{job}_2")
    until(lambda: queue.counts().leased == 3, "the lease is given back", lambda: said(tmp_path))
    seconds = time.monotonic() - started
    assert queue.counts() == counted(waiting=37, leased=3)
    assert sorted(task.attempt for task in queue.tasks()) == [0] * 37 + [1] * 3
    until(lambda: cluster.states(job).get(f"{job}_2") == "CANCELLED", "SLURM knows that it is cancelled")

    cluster.call("scontrol", "requeue", f"{job}_3")
    until(lambda: queue.counts().leased == 2, "its lease is given back, too", lambda: said(tmp_path))
    assert sorted(task.attempt for task in queue.tasks()) == [0] * 38 + [1] * 2

    os.kill(killed, signal.SIGKILL)
    until(lambda: cluster.exit_code(f"{job}_1") == "0:9", "SLURM knows that it was killed")
    until(lambda: f"{job}_3" in cluster.running(job), "the requeued element comes back")
    (tmp_path / "gate").touch()
    until(lambda: not cluster.running(job), "the others end", lambda: said(tmp_path))
    assert queue.counts() == counted(waiting=0, leased=0, done=40)
    begun = executions(layer(tmp_path))
    assert set(begun) == set(range(40))
    assert begun.total() == 43
    same = outputs(layer(tmp_path)) == expected(40)
    figures(
        f"T2: SLURM: of 4 elements one cancelled (its lease was free after {seconds:.2f} s), one queued again, one killed: "
        f"40 of 40 tasks done, outputs {'identical' if same else 'DIFFERENT'}"
    )
    assert same
    check_ledger(layer(tmp_path), trial(layer(tmp_path), 40, gate=str(tmp_path / "gate")))
    assert [cluster.exit_code(f"{job}_{part}") for part in (0, 3)] == ["0:0"] * 2
    assert " 0 done, 0 failed, 0 tried again, 1 given back" in (tmp_path / "log-2").read_text()


def test_a_task_that_needs_more_than_slurm_allots_is_refused(
    tmp_path: Path, cluster: Slurm, array: Callable[..., str]
) -> None:
    (tmp_path / "gate").touch()
    queue = filled(tmp_path, 1, needs=400_000_000)
    job = array("--array=0", "--mem-per-cpu=300M", worker=("--tries", "1"))
    until(lambda: queue.counts().failed == 1, "the task fails", lambda: said(tmp_path))
    (letter,) = queue.dead()
    assert letter.failures[-1].sort == "out of memory"
    assert "this task needs 400 MB and may use 315 MB (the SLURM allocation)" in letter.failures[-1].text
    assert not executions(layer(tmp_path))
    until(lambda: not cluster.running(job), "the worker ends", lambda: said(tmp_path))
    assert cluster.exit_code(f"{job}_0") == "1:0"


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which commands are typed; the leases of killed workers soon run out."""
    folder = tmp_path / 'a "lab\'s" folder'  # which SLURM and the shell must take for one word
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TERAVOX_LEASE_SEC", "4")
    return folder


def test_a_pipeline_whose_jobs_are_cancelled_killed_and_out_of_time_leaves_the_same(
    tmp_path: Path, cluster: Slurm, teravox: Path, in_folder: Path, figures: Callable[[str], None]
) -> None:
    file = write_pipeline(in_folder)
    wanted = run_undisturbed(file)
    (in_folder / "brain").rename(tmp_path / "alone")  # not elsewhere: the names of jobs hold the place of the layer
    pipeline = SlurmRun(cluster, teravox, file, workers=2, memory="700MB")
    pipeline.wait_for(10)
    pipeline.cancel_the_workers()
    pipeline.wait_for(35)
    pipeline.let_the_time_be_up()
    pipeline.wait_for(75)
    pipeline.kill_a_worker()
    assert pipeline.end() == "0:0", pipeline.said
    left = differing(results_in(in_folder / "brain"), wanted)
    figures(
        f"SLURM: pipeline of {pipeline.done} tasks, its workers cancelled and killed, its own job out of time: "
        f"{'DIFFERENT' if left else 'identical'}"
    )
    assert not left, "\n".join(left)
    verify(str(in_folder / "brain"), "--all", "--checksums")
