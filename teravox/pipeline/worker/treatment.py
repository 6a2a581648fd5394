"""What is done about each sort of failure; the one table."""

from __future__ import annotations

import random
from typing import NamedTuple

from teravox.pipeline.failure import Sort


class Treatment(NamedTuple):
    """Whether and when a task is tried again, and what the worker makes of it."""

    tries_again: bool
    first_pause: float  # seconds before the second attempt; each further one waits three times as long
    refund: bool = False  # the attempt does not count, where the queue can take it back
    stops_worker: bool = False
    fewer_processes: bool = False


TREATMENT: dict[Sort, Treatment] = {
    "fatal": Treatment(tries_again=True, first_pause=0, refund=True, stops_worker=True),
    "preempted": Treatment(tries_again=True, first_pause=0, refund=True),
    "transient": Treatment(tries_again=True, first_pause=10),
    "out of memory": Treatment(tries_again=True, first_pause=5, fewer_processes=True),
    "bad input": Treatment(tries_again=False, first_pause=0),
    "bad message": Treatment(tries_again=True, first_pause=1),
    "error": Treatment(tries_again=True, first_pause=2),
    "crashed": Treatment(tries_again=True, first_pause=2),
    "hung": Treatment(tries_again=True, first_pause=2),
    "lost": Treatment(tries_again=False, first_pause=0),
}
LONGEST_PAUSE = 300.0


def pause_before(sort: Sort, attempt: int) -> float:
    """Seconds to wait after this attempt, spread so that tasks which failed together do not come back together."""
    pause = min(TREATMENT[sort].first_pause * 3.0 ** (attempt - 1), LONGEST_PAUSE)
    return pause * random.uniform(0.75, 1.25)  # noqa: S311  # spreads load, guards nothing
