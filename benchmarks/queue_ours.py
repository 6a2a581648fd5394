"""The folder queue of teravox, as one side of the benchmark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from benchmarks.queue_side import body, serve
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.folder import FolderQueue

HOUR = 3600.0


class Ours:
    """See queue_side.py for what each method is."""

    def __init__(self, folder: str) -> None:
        self._queue = FolderQueue(folder, create=True)

    def insert(self, count: int) -> None:
        bodies = (json.dumps(body(number)).encode() for number in range(count))
        self._queue.insert((Entry(hashlib.sha256(text).hexdigest()[:32], text) for text in bodies), lambda _: None)

    def hold(self, count: int) -> None:
        while count > 0:
            count -= len(self._queue.lease(HOUR, most=min(count, 1000)))

    def drain(self) -> Iterator[None]:
        while True:
            leases = self._queue.lease(HOUR)
            if leases:
                assert self._queue.done(leases) == [True]
                yield
            elif self._queue.is_empty():
                return

    def poll(self) -> bool:
        return bool(self._queue.lease(HOUR))

    def status(self) -> None:
        self._queue.counts()


if __name__ == "__main__":
    serve(Ours)
