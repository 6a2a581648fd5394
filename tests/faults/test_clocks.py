"""T5: workers whose clocks are wrong by an hour take nobody's lease."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.drills import WORKER, check_all_is_done, drill, executions, put
from faults.workers import fleet, until

pytestmark = pytest.mark.faults

Skewed = Callable[[str], dict[str, str]]
TASKS = 90
CLOCKS = ("-1h", "+0", "+1h")
FAKERS = (
    *Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
    *Path("/usr/lib64/faketime").glob("libfaketimeMT.so.1"),
    *Path("/usr/lib/faketime").glob("libfaketimeMT.so.1"),
)


SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""  # libfaketime 0.9.10 breaks clock_nanosleep(2) with TIMER_ABSTIME, by which Python sleeps


@pytest.fixture
def skewed(tmp_path: Path) -> Skewed:
    """The environment of a machine whose clock is wrong: the file server's times are right, and seconds pass as ever."""
    if not FAKERS:
        pytest.skip("libfaketime is not installed; on Debian: apt-get install faketime")
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text(SLEEP)
    paths = [str(modules), *filter(None, [os.environ.get("PYTHONPATH")])]
    return lambda clock: {
        "PYTHONPATH": os.pathsep.join(paths),
        "LD_PRELOAD": str(FAKERS[0]),
        "FAKETIME": clock,
        "NO_FAKE_STAT": "1",
        "FAKE_UTIME": "1",  # sets the right time where a program asks for that of now
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }


def test_no_lease_is_taken_by_workers_with_wrong_clocks(
    tmp_path: Path, skewed: Skewed, figures: Callable[[str], None]
) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    put(drill(layer, TASKS, seconds=0.1), queue)
    with fleet(queue) as workers:
        for clock in CLOCKS:
            workers.start(*WORKER, "--lease-sec", "10", environ=skewed(clock))
        assert workers.wait() == [0, 0, 0], workers.said
        behind, right, ahead = (first_time(worker.said) for worker in workers.workers)
        shares = [int(re.findall(r"(\d+) done, 0 failed", worker.said)[-1]) for worker in workers.workers]
    begun = executions(layer)
    figures(
        f"T5: {TASKS} tasks by workers at {', '.join(CLOCKS)} ({', '.join(map(str, shares))} of them): "
        f"{begun.total()} executions, {begun.total() - TASKS} live leases taken"
    )
    for earlier, later in ((behind, right), (right, ahead)):  # the clocks were wrong indeed
        assert abs((later - earlier) % 86400 - 3600) < 900
    assert min(shares) > 0
    assert sum(shares) == TASKS
    assert set(begun.values()) == {1} and len(begun) == TASKS
    check_all_is_done(queue, TASKS)


def test_a_worker_whose_clock_is_behind_keeps_its_task(tmp_path: Path, skewed: Skewed) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    put(drill(layer, 1, seconds=5.0), queue)
    with fleet(queue) as workers:
        workers.start(*WORKER, "--lease-sec", "10", environ=skewed("-1h"))
        until(lambda: executions(layer).total() == 1, "the first one begins", lambda: workers.said)
        for clock in ("+0", "+1h"):
            workers.start(*WORKER, "--lease-sec", "10", environ=skewed(clock))
        assert workers.wait() == [0, 0, 0], workers.said
    assert executions(layer) == {0: 1}
    check_all_is_done(queue, 1)


def test_the_task_of_a_lost_worker_whose_clock_is_ahead_is_soon_free(tmp_path: Path, skewed: Skewed) -> None:
    layer, queue = tmp_path / "layer", tmp_path / "q"
    put(drill(layer, 1, seconds=1.0), queue)
    with fleet(queue) as workers:
        lost = workers.start(*WORKER, "--lease-sec", "2", environ=skewed("+1h"))
        until(lambda: executions(layer).total() == 1, "the first one begins", lambda: workers.said)
        lost.kill()
        assert workers.start(*WORKER, environ=skewed("-1h")).wait() == 0, workers.said
    assert executions(layer) == {0: 2}
    check_all_is_done(queue, 1)


def first_time(said: str) -> int:
    """The time of the day, in seconds, that a log begins with."""
    found = re.search(r"^(\d\d):(\d\d):(\d\d) ", said, re.MULTILINE)
    assert found, said
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds
