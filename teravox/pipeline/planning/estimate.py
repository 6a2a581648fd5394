"""What one stage will take, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.planning.counting import Counter
from teravox.pipeline.planning.figures import Amount
from teravox.pipeline.planning.rates import Rate
from teravox.pipeline.planning.wall_time import wall_time

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage


class Estimate(NamedTuple):
    """A stage in figures; None is what nobody can know yet, and `why` says why."""

    stage: Stage
    tasks: int | None
    looked_at: int  # tasks, which stand for all
    memory: int | None
    reads: Amount
    writes: Amount
    kept: bool
    rate: Rate | None
    voxels: float | None  # the work of all tasks
    often: float  # how many times a chunk is fetched, of the layer where it is most
    seconds: Sequence[float] | None  # of the tasks that were looked at
    start: float  # seconds that each worker takes to begin
    counter: Counter
    why: str | None

    def total_seconds(self, workers: int) -> float | None:
        """Of all tasks one after another, and of workers that begin."""
        if self.seconds is None:
            return None
        tasks = sum(self.seconds) / max(1, len(self.seconds)) * (self.tasks or len(self.seconds))
        return tasks + self.start * self._begin(workers)

    def cpu_seconds(self, workers: int) -> float | None:
        if self.rate is None or self.voxels is None:
            return None
        return self.rate.cpu_ns * self.voxels / 1e9 + self.start * self._begin(workers)

    def wall_seconds(self, workers: int) -> float | None:
        """With so many workers; where the number of tasks is not known, as if there were enough of them."""
        if self.seconds is None:
            return None
        if self.tasks is None:
            return sum(self.seconds) / workers + self.start
        return wall_time(self.seconds, self.tasks, workers) + self.start * bool(self.tasks)

    def _begin(self, workers: int) -> int:
        """How many workers get a task."""
        return workers if self.tasks is None else min(workers, self.tasks)
