"""T4: a lease lives as long as its holder, and who has lost one can change nothing any more."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from faults.drills import WORKER, check_all_is_done, check_ledger, drill, executions, outputs, put
from faults.workers import WorkerProcess, fleet, until

from teravox.pipeline.failure import Failure
from teravox.pipeline.queues.contract import Entry, Lease, Queue
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.queues.memory import MemoryQueue

pytestmark = pytest.mark.faults

STALE = 100
REPORT = Failure(attempt=1, sort="error", error="E", text="stale", host="h", worker="w", started=0.0, seconds=0.0)


def test_a_task_ten_times_longer_than_its_lease_runs_once(tmp_path: Path, figures: Callable[[str], None]) -> None:
    layer = tmp_path / "layer"
    put(drill(layer, 1, seconds=15.0), tmp_path / "q")
    with fleet(tmp_path / "q") as workers:
        for _ in range(2):  # the other one wants it, too
            workers.start(*WORKER, "--lease-sec", "1.5")
        assert workers.wait() == [0, 0], workers.said
    begun = executions(layer)
    figures(f"T4: a task of 15 s under leases of 1.5 s: {begun.total()} execution")
    assert begun == {0: 1}
    check_all_is_done(tmp_path / "q", 1)


@pytest.mark.parametrize("frozen", ["the supervisor", "the supervisor and its child"])
def test_a_holder_that_was_stopped_past_its_lease_changes_nothing(
    tmp_path: Path, frozen: str, figures: Callable[[str], None]
) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    job = drill(layer, 5, seconds=2.0)
    put(job, queue)
    with fleet(queue) as workers:
        holder = workers.start(*WORKER, "--lease-sec", "2")
        until(lambda: executions(layer).total() == 1, "the holder begins", lambda: workers.said)
        (stolen,) = executions(layer)
        (child,) = holder.children()
        stopped = [holder.pid, child] if frozen == "the supervisor and its child" else [holder.pid]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        other = workers.start(*WORKER, "--lease-sec", "2")
        assert other.wait() == 0, workers.said
        check_all_is_done(queue, 5)
        assert executions(layer) == Counter(dict.fromkeys(range(5), 1) | {stolen: 2})
        for pid in reversed(stopped):  # the child first: it must go on, and be stopped by its supervisor
            os.kill(pid, signal.SIGCONT)
        assert holder.wait() == 0, workers.said
        assert lost_leases(holder) == 1
        assert "0 done, 0 failed, 0 tried again, 0 given back" in holder.said
        if frozen == "the supervisor and its child":
            assert "its lease was lost, so it was stopped" in holder.said
        assert "5 done, 0 failed" in other.said
    figures(f"T4: {frozen} stopped past the lease and continued: done refused, 5 tasks done, 5 counted")
    assert len(outputs(layer)) == 5
    check_all_is_done(queue, 5)
    check_ledger(layer, job)


def lost_leases(worker: WorkerProcess) -> int:
    """How many tasks it says it has lost: while they ran, or when they were done."""
    stopped = worker.said.count("its lease was lost, so it was stopped")
    return stopped + worker.said.count("1 finished tasks had lost their leases")


@pytest.fixture(params=["folder", "memory"])
def two_views(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Queue, Queue]:
    """A queue as a stale holder and as the present one see it."""
    if request.param == "memory":
        memory = MemoryQueue()
        return memory, memory
    return FolderQueue(tmp_path / "q", create=True), FolderQueue(tmp_path / "q")


def test_every_word_of_a_stale_holder_is_refused(
    two_views: tuple[Queue, Queue], figures: Callable[[str], None]
) -> None:
    before, after = two_views
    before.insert([Entry(f"{n:032x}", b"{}") for n in range(STALE)], lambda _: None)
    stale = {lease.id: lease for lease in before.lease(1.0, STALE)}
    assert len(stale) == STALE
    present: list[Lease] = []

    def have_changed_hands() -> bool:
        present.extend(after.lease(600.0, STALE))
        return len(present) == STALE

    until(have_changed_hands, "the leases run out")
    leases = [stale[lease.id] for lease in present]
    held = sorted(after.tasks(), key=lambda task: task.id)
    refused = refusals(before, leases)
    figures(f"T4: {two_views[0]!r:.11}: stale holders refused: {refused}")
    assert refused == dict.fromkeys(("done", "renew", "release", "refund", "fail"), STALE)
    assert sorted(after.tasks(), key=lambda task: task.id) == held
    assert list(after.dead()) == []
    assert [task.attempt for task in held] == [2] * STALE
    assert after.done(present) == [True] * STALE
    counts = after.counts()
    assert (counts.waiting, counts.paused, counts.leased, counts.done, counts.failed) == (0, 0, 0, STALE, 0)
    assert refusals(before, leases) == refused
    assert after.counts() == counts


def refusals(queue: Queue, leases: Sequence[Lease]) -> dict[str, int]:
    """How many of these leases each operation refuses."""
    return {
        "done": queue.done(leases).count(False),
        "renew": queue.renew(leases, 60.0).count(None),
        "release": sum(not queue.release(lease, pause=5.0, failure=REPORT) for lease in leases),
        "refund": sum(not queue.release(lease, refund=True) for lease in leases),
        "fail": sum(not queue.fail(lease, REPORT) for lease in leases),
    }
