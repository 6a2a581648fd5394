"""One process of a queue benchmark: does on standard input's word what one side's queue can do, and says what it cost.

Each line names an action and its number; the answer is a line of JSON. The process is up, and its libraries are
imported, before any clock starts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol


class Side(Protocol):
    """What is asked of a queue; each method's docstring says what is timed."""

    def insert(self, count: int) -> None:
        """Add `count` tasks of some 150 bytes."""

    def hold(self, count: int) -> None:
        """Lease `count` tasks for an hour, in bulk; not timed."""

    def drain(self) -> int:
        """Lease a task, take it out as done, and so on until the queue is empty; how many."""

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
            cpu, started = time.process_time(), time.perf_counter()
            tasks = getattr(side, action)(count) if count else getattr(side, action)()
            answer = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu, "tasks": tasks}
        print(json.dumps(answer), flush=True)
