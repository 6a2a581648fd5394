"""The FileQueue of python-task-queue, as one side of the benchmark.

It is called below the layer that users call, which starts threads and sleeps: what is measured is the queue alone.
"""

from __future__ import annotations

from taskqueue.file_queue_api import FileQueueAPI

from benchmarks.queue_side import body, serve

HOUR = 3600


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

    def drain(self) -> int:
        done = 0
        while True:
            leases = self._queue.lease(HOUR, 1)
            for lease in leases:
                self._queue.delete(lease)
                self._queue.tally()
                done += 1
            if not leases and self._queue.is_empty():
                return done

    def poll(self) -> bool:
        return bool(self._queue.lease(HOUR, 1))

    def status(self) -> None:
        for count in ("inserted", "enqueued", "leased", "completed"):
            getattr(self._queue, count)


if __name__ == "__main__":
    serve(Theirs)
