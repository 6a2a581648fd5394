"""A worker that ends on an empty queue, but not in the pauses between the steps of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from teravox.pipeline.job import AnyJob
from teravox.pipeline.message import encode
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.submit import Prepared
from teravox.pipeline.worker.settings import Outcome, WorkerSettings
from teravox.pipeline.worker.supervisor import work

TRIAL = str(Path(__file__).parent.parent / "kinds" / "trial.py")


class Paused(MemoryQueue):
    """Brings the tasks of a second step after the worker has found it empty three times."""

    def __init__(self, first: Iterator[Entry], second: Iterator[Entry]) -> None:
        super().__init__(first)
        self._second = second
        self.looks = 0

    def is_empty(self) -> bool:
        empty = super().is_empty()
        self.looks += empty
        if self.looks == 3:
            self.insert(self._second, lambda _: None)
        return empty


class Worked(NamedTuple):
    outcome: Outcome
    looks: int


def work_on_two_steps(tmp_path: Path, idle: float) -> Worked:
    kind = Registry([TRIAL]).find("trial")
    assert kind is not None

    def job(step: str) -> AnyJob:
        return msgspec.convert({"layer": f"file://{tmp_path}/{step}", "words": ["ok", "ok"]}, kind)

    steps = [Prepared(job(step), "trial", resume=False, command="") for step in ("one", "two")]
    queue = Paused(*(encode("trial", step.job, step.job.pieces()) for step in steps))
    settings = WorkerSettings(plugins=(TRIAL,), exit_on_empty=True, idle=idle, quiet=True)
    return Worked(work(queue, settings), queue.looks)


def test_an_idle_worker_waits_for_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teravox.pipeline.worker.supervisor.LONGEST_IDLE", 0.1)
    worked = work_on_two_steps(tmp_path, idle=3.0)
    assert (worked.outcome.done, worked.outcome.stopped_by) == (4, "empty")
    assert worked.looks > 6  # and it waited as long after the second


def test_without_idling_a_worker_ends_with_the_first_step(tmp_path: Path) -> None:
    worked = work_on_two_steps(tmp_path, idle=0.0)
    assert (worked.outcome.done, worked.outcome.stopped_by) == (2, "empty")
    assert worked.looks < 3
