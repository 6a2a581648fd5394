"""T9: workers on a real network file system, through two mounts with caches of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from faults.trials import WORKER, check_ledger, executions, expected, outputs, put, trial
from faults.workers import HANGS, fleet
from servers.ceph import second_place, two_mounts
from servers.daemon import or_skip

from teravox.pipeline.queues.contract import Counts, Entry
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.folder_nudge import Nudge

pytestmark = [pytest.mark.faults, pytest.mark.server]

PROCESSES = 8
WORKERS = 4
TASKS = 80
QUEUED = 800

# Leases a task, takes it out, and so on until nothing is left; prints the ids of all that it leased.
DRAIN = """
import json, sys, time
from teravox.pipeline.queues.folder import FolderQueue
queue = FolderQueue(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
ids = []
while leases := queue.lease(600) or (not queue.is_empty() and queue.lease(600, wait=0.05)):
    ids += [lease.id for lease in leases]
    assert all(queue.done(leases)), ids[-1]
queue.close()
print(json.dumps(ids))
"""


@pytest.fixture(scope="module")
def mounts() -> Iterator[tuple[Path, Path]]:
    with or_skip(), two_mounts() as mounts:
        yield mounts


def all_done(count: int) -> Counts:
    return Counts(waiting=0, paused=0, leased=0, done=count, failed=0, is_exact=True)


def test_each_task_is_leased_once_by_processes_on_two_mounts(
    mounts: tuple[Path, Path], figures: Callable[[str], None]
) -> None:
    queue = FolderQueue(mounts[0] / "leases", create=True)
    ids = [f"{number:032x}" for number in range(QUEUED)]
    inserting = time.perf_counter()
    assert queue.insert([Entry(id, b"{}") for id in ids], lambda _: None).new == QUEUED
    leasing = time.perf_counter()
    with ExitStack() as stack:
        drains = [stack.enter_context(drain(mounts[number % 2] / "leases")) for number in range(PROCESSES)]
        assert [drain.stdout.readline() for drain in drains if drain.stdout] == ["ready\n"] * PROCESSES
        started = time.perf_counter()
        said = [drain.communicate("go\n", timeout=HANGS)[0] for drain in drains]
        ended = time.perf_counter()
    taken = Counter(id for line in said for id in json.loads(line))
    assert taken == Counter(ids)
    assert queue.counts() == FolderQueue(mounts[1] / "leases").counts() == all_done(QUEUED)
    figures(
        f"T9: CephFS, two mounts: insert {QUEUED / (leasing - inserting):,.0f} tasks/s, "
        f"lease + done {QUEUED / (ended - started):,.0f} tasks/s with {PROCESSES} processes, each leased once"
    )


def drain(queue: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DRAIN, str(queue)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_workers_on_two_mounts_do_each_task_once(
    mounts: tuple[Path, Path], tmp_path: Path, figures: Callable[[str], None]
) -> None:
    """Layer and queue lie in the shared file system; half of the workers see it through the other client."""
    job = trial(f"file://{mounts[0]}/layer", TASKS)
    queue = FolderQueue(mounts[0] / "q", create=True)
    put(job, queue)
    started = time.perf_counter()
    with fleet(mounts[0] / "q", tmp_path / "logs") as workers:
        for number in range(WORKERS):
            elsewhere = second_place(mounts) if number % 2 else []
            workers.start(*WORKER, "--exit-on-empty", "--lease-sec", "600", before=elsewhere)
        assert workers.wait() == [0] * WORKERS, workers.said[-5000:]
    seconds = time.perf_counter() - started
    assert executions(job.home()) == Counter(range(TASKS)), workers.said[-5000:]
    assert queue.counts() == FolderQueue(mounts[1] / "q").counts() == all_done(TASKS)
    with no_waiting(mounts[0]):
        assert outputs(job.home()) == expected(TASKS)
        check_ledger(job.home(), job)
    figures(
        f"T9: CephFS, two mounts: {TASKS} tasks by {WORKERS} workers in {seconds:.1f} s with their start, "
        f"each run once, done == inserted == {TASKS}"
    )


@contextmanager
def no_waiting(mount: Path) -> Iterator[None]:
    """Have CephFS show what the other client wrote as soon as it is asked, and not seconds later for each file."""
    nudge = Nudge(f"{mount}/nudge")
    with nudge.watching():
        yield
    nudge.close()
