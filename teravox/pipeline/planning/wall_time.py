"""How long workers need for tasks, one stage after another."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

MOST = 200_000  # tasks that are handed out one by one


def wall_time(seconds: Sequence[float], tasks: int, workers: int) -> float:
    """Until the last of so many tasks is done, each worker taking the next one when it is free.

    `seconds` are those of some tasks, spread over all; of each of them there are as many as it stands for.
    """
    if not seconds or not tasks:
        return 0.0
    longest, total = max(seconds), sum(seconds) / len(seconds) * tasks
    if tasks > MOST:
        return min(total, total / workers + longest * (1 - 1 / workers))  # no hand-out is worse
    free = [0.0] * min(workers, tasks)
    for at in range(tasks):
        heapq.heappush(free, heapq.heappop(free) + seconds[at * len(seconds) // tasks])
    return max(free)
