"""T1: workers are killed again and again, and the result is the same as without."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.drills import DRILL, WORKER, check_all_is_done, check_ledger, drill, executions, outputs, put
from faults.workers import fleet, until

from teravox.pipeline.queues.folder_disk import FolderDisk
from teravox.pipeline.submit import run_here
from teravox.pipeline.worker.settings import WorkerSettings

pytestmark = pytest.mark.faults

TASKS = 1000
KILLS = 16
CHILD_TASKS = 180
CHILD_KILLS = 7
OPTIONS = (*WORKER, "--tries", "20", "--quiet")  # a task may be under way at several kills


def undisturbed(layer: Path, count: int) -> dict[str, str]:
    """The outputs of the same job in a run without faults."""
    layer.mkdir()
    settings = WorkerSettings(plugins=(DRILL,), exit_on_empty=True, processes=2, quiet=True)
    outcome = run_here(drill(layer, count), "drill", settings, resume=False, command="", progress=None)
    assert (outcome.done, outcome.exit_code) == (count, 0)
    return outputs(layer)


def test_killed_workers_lose_nothing_and_change_nothing(tmp_path: Path, figures: Callable[[str], None]) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    job = drill(layer, TASKS, seconds=0.05)
    put(job, queue)
    with fleet(queue) as workers:
        for _ in range(4):
            workers.start(*OPTIONS, "--lease-sec", "4")
        # By progress and not by the clock, so that there are as many kills on any machine: about one a second.
        for kill in range(1, KILLS + 1):
            until(have_begun(layer, kill * 60), "tasks begin", lambda: workers.said)
            random.choice(workers.running).kill()
            workers.start(*OPTIONS, "--lease-sec", "4")
        assert workers.wait() == [0, 0, 0, 0], workers.said[-5000:]
    begun = executions(layer)
    same = outputs(layer) == undisturbed(tmp_path / "undisturbed", TASKS)
    figures(
        f"T1: {TASKS:,} tasks, {KILLS} kills of a worker, {begun.total():,} executions, "
        f"{TASKS - len(outputs(layer))} lost, output tree {'identical' if same else 'DIFFERENT'}"
    )
    assert same
    assert set(begun) == set(range(TASKS))
    assert begun.total() <= TASKS + KILLS
    check_all_is_done(queue, TASKS)
    check_ledger(layer, job)
    check_sweep(queue)


def test_killed_children_cost_their_task_one_attempt_each(tmp_path: Path, figures: Callable[[str], None]) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    job = drill(layer, CHILD_TASKS, seconds=0.05)
    put(job, queue)
    with fleet(queue) as workers:
        for _ in range(2):
            workers.start(*OPTIONS, "-p", "2")
        for kill in range(1, CHILD_KILLS + 1):
            until(have_begun(layer, kill * 24), "tasks begin", lambda: workers.said)
            kill_a_child([child for worker in workers.workers for child in worker.children()])
        assert workers.wait() == [0, 0], workers.said[-5000:]
        assert workers.said.count("(SIGKILL); another one takes its place") == CHILD_KILLS, workers.said[-5000:]
    begun = executions(layer)
    same = outputs(layer) == undisturbed(tmp_path / "undisturbed", CHILD_TASKS)
    figures(
        f"T1: {CHILD_TASKS:,} tasks, {CHILD_KILLS} kills of a child, {begun.total():,} executions, "
        f"{CHILD_TASKS - len(outputs(layer))} lost, output tree {'identical' if same else 'DIFFERENT'}"
    )
    assert same
    assert begun.total() <= CHILD_TASKS + CHILD_KILLS
    check_all_is_done(queue, CHILD_TASKS)
    check_ledger(layer, job)
    check_sweep(queue)


def test_a_killed_worker_takes_its_child_along(tmp_path: Path) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    put(drill(layer, 2, seconds=3600.0), queue)
    with fleet(queue) as workers:
        worker = workers.start(*OPTIONS, "-p", "2")
        until(lambda: executions(layer).total() == 2, "both children work", lambda: workers.said)
        assert len(worker.children()) == 2
        worker.kill()  # fails if a child goes on
    assert not (layer / "out").exists()


def have_begun(layer: Path, count: int) -> Callable[[], bool]:
    return lambda: executions(layer).total() >= count


def kill_a_child(children: list[int]) -> None:
    os.kill(random.choice(children), signal.SIGKILL)


def check_sweep(queue: Path) -> None:
    """What killed workers left lies in tmp/ and workers/ alone, and goes away."""
    disk = FolderDisk(queue, "sweeper")
    disk.sweep(0)
    disk.close()
    assert list((queue / "tmp").iterdir()) == []
    assert list((queue / "workers").iterdir()) == []
