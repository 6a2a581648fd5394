"""The FileQueue of python-task-queue, as one side of the benchmark.

It is called below the layer that users call, which starts threads and sleeps: what is measured is the queue alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from taskqueue.file_queue_api import FileQueueAPI

from benchmarks.queue_side import body, serve

HOUR = 3600
PATIENCE = 5.0  # seconds


class Theirs:
    """See queue_side.py for what each method is."""

    def __init__(self, folder: str) -> None:
        self._queue = FileQueueAPI(folder)

    def insert(self, count: int) -> None:
        self._queue.insert([{"payload": body(number), "queueName": "q"} for number in range(count)])
        self._queue.add_insert_count(count)

    def hold(self, count: int) -> None:
        while count > 0:
            count -= len(self._queue.lease(HOUR, count))

    def drain(self) -> Iterator[None]:
        """A race can leave a task leased that nobody holds; so it ends where nothing was to be had for a while."""
        last = time.monotonic()
        while time.monotonic() - last < PATIENCE:
            leases = self._queue.lease(HOUR, 1)
            for lease in leases:
                self._queue.delete(lease)
                self._queue.tally()
                last = time.monotonic()
                yield
            if not leases and self._queue.is_empty():
                return

    def poll(self) -> bool:
        return bool(self._queue.lease(HOUR, 1))

    def status(self) -> None:
        for count in ("inserted", "enqueued", "leased", "completed"):
            getattr(self._queue, count)


if __name__ == "__main__":
    serve(Theirs)
