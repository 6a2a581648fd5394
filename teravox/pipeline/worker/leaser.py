"""Waits for tasks in a thread of its own, so that a long poll holds nobody up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.queues.contract import Lease, Queue


class Leaser:
    """One request at a time: `ask`, be woken, `take`."""

    def __init__(self, tasks: Queue, seconds: float, wake: Callable[[], None]) -> None:
        self._tasks = tasks
        self._seconds = seconds
        self._wake = wake
        self._asked: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[list[Lease] | Exception] = queue.SimpleQueue()
        self.is_asking = False
        self._thread = threading.Thread(target=self._work, name="leaser", daemon=True)
        self._thread.start()

    def ask(self, most: int, wait: float) -> None:
        self.is_asking = True
        self._asked.put((most, wait))

    def take(self) -> list[Lease] | None:
        """What came, or None while nothing has; raises what the queue raised."""
        try:
            answer = self._answers.get_nowait()
        except queue.Empty:
            return None
        self.is_asking = False
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> list[Lease]:
        """Stop asking, and hand over what a last request brought; the queue has been closed, so it returns soon."""
        self._asked.put(None)
        self._thread.join()
        try:
            return self.take() or []
        except TeravoxError:  # a request that failed brought nothing
            return []

    def _work(self) -> None:
        while (request := self._asked.get()) is not None:
            most, wait = request
            try:
                self._answers.put(self._tasks.lease(self._seconds, most, wait))
            except Exception as error:  # noqa: BLE001  # raised again by take(), in the main thread
                self._answers.put(error)
            self._wake()
