"""One process of a queue benchmark: does on standard input's word what one side's queue can do, and says what it cost.

Each line names an action and its number; the answer is a line of JSON. The process is up, and its libraries are
imported, before any clock starts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol


class Side(Protocol):
    """What is asked of a queue; each method's docstring says what is timed."""

    def insert(self, count: int) -> None:
        """Add `count` tasks of some 150 bytes."""

    def hold(self, count: int) -> None:
        """Lease `count` tasks for an hour, in bulk; not timed."""

    def drain(self) -> Iterator[None]:
        """Lease a task, take it out as done, once a turn, until the queue is empty or gives nothing for a while."""

    def poll(self) -> bool:
        """Lease one task; whether there was one."""

    def status(self) -> None:
        """Find out how many tasks are where."""


def body(number: int) -> dict[str, Any]:  # Any: JSON
    """A task's content, of some 150 bytes, the same on both sides."""
    return {"number": number, "text": "x" * 120}


def serve(open_side: Callable[[str], Side]) -> None:
    """Answer until standard input ends."""
    side = open_side(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        action, _, number = line.strip().partition(" ")
        count = int(number or 0)
        if action == "poll":
            seconds = []
            for _ in range(count):
                started = time.perf_counter()
                side.poll()
                seconds.append(time.perf_counter() - started)
            answer: dict[str, Any] = {"seconds": seconds}
        else:
            cpu, started, tasks = time.process_time(), time.perf_counter(), 0
            spent = (0.0, 0.0)
            for _ in side.drain() if action == "drain" else once(getattr(side, action), count):
                tasks += 1
                spent = (time.perf_counter() - started, time.process_time() - cpu)  # up to the last task
            answer = {"wall": spent[0], "cpu": spent[1], "tasks": tasks}
        print(json.dumps(answer), flush=True)


def once(action: Callable[..., object], count: int) -> Iterator[None]:
    """An action as one turn."""
    action(*([count] if count else []))
    yield
