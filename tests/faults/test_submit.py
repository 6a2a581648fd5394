"""T6: submitting may be killed, repeated and done by several at once, and each task is there once."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ctypes import c_long
from pathlib import Path

import pytest
from faults.drills import DRILL, check_all_is_done, check_ledger, drill, executions
from faults.submitters import submitters, submitting
from faults.workers import HANGS, Fleet, fleet, until

from teravox.pipeline.message import decode
from teravox.pipeline.queues.contract import Counts
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.folder_disk import FolderDisk
from teravox.pipeline.registry import Registry
from teravox.pipeline.submit import submit

pytestmark = pytest.mark.faults

TASKS = 1500
KILLS = 20
ENDLESS_WORKER = ("--plugin", DRILL, "--quiet")


@pytest.fixture(autouse=True, scope="module")
def _submitters() -> Iterator[None]:
    with submitters():
        yield


def resubmit(queue: Path, layer: Path, count: int = TASKS) -> tuple[int, int]:
    """Submit the whole job once more; how many tasks were new, and how many known."""
    job = drill(layer, count)
    done = submit(job, "drill", FolderQueue(queue), resume=False, command="", progress=lambda _: None)
    assert done.total == count
    return done.new, done.known


def check_each_task_waits_once(queue: Path, count: int) -> None:
    tasks = FolderQueue(queue)
    assert tasks.counts() == Counts(waiting=count, paused=0, leased=0, done=0, failed=0, is_exact=True, foreign=0)
    assert len({task.id for task in tasks.tasks()}) == count


def check_messages_are_whole(queue: Path, count: int) -> None:
    registry = Registry([DRILL])
    tasks = [decode(path.read_bytes(), registry) for path in (queue / "queue").iterdir()]
    assert sorted(task.piece.number for task in tasks) == list(range(count))


def test_a_killed_insert_that_is_repeated_leaves_each_task_once(tmp_path: Path, figures: Callable[[str], None]) -> None:
    """The first repeat is killed, too; the second one goes to the end."""
    points = []
    for _ in range(KILLS // 2):
        queue, layer = tmp_path / "q", tmp_path / "layer"
        there = 0
        for point in sorted(random.sample(range(TASKS * 9 // 10), 2)):  # it goes on for a moment
            with submitting(queue, layer, TASKS) as (process, safe):
                wait_for(safe, point)
                process.kill()
                process.join()
                assert process.exitcode == -signal.SIGKILL
                points.append(safe.value)
            before, there = there, count_files(queue / "queue")
            assert max(before, points[-1]) <= there <= max(before, points[-1] + 17)  # some are there, and not yet said
        assert resubmit(queue, layer) == (TASKS - there, there)
        check_each_task_waits_once(queue, TASKS)
        check_no_garbage(queue)
        if len(points) == KILLS:
            check_messages_are_whole(queue, TASKS)
        shutil.rmtree(queue)
        shutil.rmtree(layer)
    figures(
        f"T6: {len(points)} kills after {min(points):,} to {max(points):,} of {TASKS:,} tasks, "
        f"each time {TASKS:,} distinct tasks after a repeat"
    )
    assert len(set(points)) > KILLS // 2


def wait_for(safe: c_long, point: int) -> None:
    until(lambda: safe.value >= point, "tasks are put into the queue", look_every=0.0005)


def check_no_garbage(queue: Path) -> None:
    """What killed submitters leave lies in tmp/, is little, and goes away."""
    assert count_files(queue / "tmp") <= 40  # a clock and at most 17 messages of each
    disk = FolderDisk(queue, "sweeper")
    disk.sweep(0)
    disk.close()
    assert list((queue / "tmp").iterdir()) == []


def test_two_submitters_at_once_leave_each_task_once(tmp_path: Path, figures: Callable[[str], None]) -> None:
    queue, layer = tmp_path / "q", tmp_path / "layer"
    with ExitStack() as stack:
        submitters = [stack.enter_context(submitting(queue, layer, TASKS)) for _ in range(2)]
        for process, _ in submitters:
            process.join()
            assert process.exitcode == 0
        assert [safe.value for _, safe in submitters] == [TASKS, TASKS]
    figures(f"T6: 2 submitters of the same {TASKS:,} tasks at once: {TASKS:,} distinct tasks")
    check_each_task_waits_once(queue, TASKS)
    check_messages_are_whole(queue, TASKS)
    assert resubmit(queue, layer) == (0, TASKS)


def test_inserting_beside_workers_runs_each_task_once(tmp_path: Path, figures: Callable[[str], None]) -> None:
    queue, layer, count = tmp_path / "q", tmp_path / "layer", 1000
    FolderQueue(queue, create=True)
    with fleet(queue) as workers, submitting(queue, layer, count) as (submitter, _):
        for _ in range(2):
            workers.start(*ENDLESS_WORKER)
        submitter.join()
        stop_when_finished(workers, layer)
    begun = executions(layer)
    figures(f"T6: {count:,} tasks put into the queue beside 2 workers: {begun.total():,} executions")
    assert begun == Counter(range(count))
    check_all_is_done(queue, count)


def test_submitting_again_beside_workers_loses_nothing_and_counts_each_task_once(
    tmp_path: Path, figures: Callable[[str], None]
) -> None:
    """A task that changes hands while a second submitter looks for it may be added, and run, a second time."""
    queue, layer, count = tmp_path / "q", tmp_path / "layer", 1000
    FolderQueue(queue, create=True)
    with fleet(queue) as workers, ExitStack() as stack:
        for _ in range(2):
            workers.start(*ENDLESS_WORKER)
        repeats = [stack.enter_context(submitting(queue, layer, count)) for _ in range(2)]
        for submitter, _ in repeats:
            submitter.join()
            assert submitter.exitcode == 0

        def are_all_done_however_often_they_are_submitted() -> bool:
            resubmit(queue, layer, count)
            return FolderQueue(queue).is_empty()

        until(are_all_done_however_often_they_are_submitted, "the queue is empty", lambda: workers.said)
        resubmit(queue, layer, count)
        stop_when_finished(workers, layer)
    begun = executions(layer)
    figures(
        f"T6: {count:,} tasks submitted by 2 at once, and again and again, beside 2 workers: "
        f"{begun.total():,} executions, {count:,} counted"
    )
    assert set(begun) == set(range(count))
    assert max(begun.values()) <= 2
    check_all_is_done(queue, count)
    check_ledger(layer, drill(layer, count))


def stop_when_finished(workers: Fleet, layer: Path) -> None:
    """Stop workers that would go on for ever, when the job's last duties are done."""
    until((layer / "finished").exists, "the job is finished", lambda: workers.said)
    for worker in workers.workers:
        worker.signal(signal.SIGTERM)
    assert set(workers.wait()) == {0}


def test_an_interrupted_submit_says_how_far_it_came(tmp_path: Path, figures: Callable[[str], None]) -> None:
    queue, count = tmp_path / "q", 3_000
    words = ("--plugin", DRILL, "drill", str(tmp_path / "layer"), "--count", str(count), "--queue", str(queue))
    command = [sys.executable, "-m", "teravox", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as submitter:
        try:
            until(lambda: count_files(queue / "queue") >= 500, "tasks are put into the queue", look_every=0.001)
            submitter.send_signal(signal.SIGINT)
            said, _ = submitter.communicate(timeout=HANGS)
        finally:
            submitter.kill()
    there = count_files(queue / "queue")
    found = re.search(r"([\d,]+) of 3,000 tasks are safely in", said)
    assert found, said
    safe = int(found[1].replace(",", ""))
    figures(f"T6: interrupted by Ctrl-C: says {safe:,} of {count:,} are safe, and {there:,} are there")
    assert submitter.returncode == 130
    assert 500 <= safe <= there <= safe + 17
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGS)
    assert again.returncode == 0, again.stderr
    check_each_task_waits_once(queue, count)


def count_files(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0
