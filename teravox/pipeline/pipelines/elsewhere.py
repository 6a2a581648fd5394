"""The tasks of stages in a queue whose workers are elsewhere; what is done is in the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator

from teravox.pipeline.errors import BadMessage
from teravox.pipeline.ledger.reading import list_files, most_records
from teravox.pipeline.message import decode
from teravox.pipeline.pipelines.place import Seen
from teravox.pipeline.queues.contract import Entry, Queue
from teravox.pipeline.registry import Registry
from teravox.pipeline.stages import LONGEST_PAUSE, SHARE, Stage, count_failed
from teravox.pipeline.storage.open import open_store


class Elsewhere:
    """A place: tasks are inserted, and looked for in the ledger every so often."""

    is_here = False

    def __init__(self, queue: Queue, registry: Registry, interval: float) -> None:
        self.queue = queue
        self._registry = registry
        self._interval = interval
        self._slowest = 0.0  # seconds that the longest look took since the last pause

    def has_old_tasks(self, stage: Stage, *, is_resumed: bool, has_forgotten: bool) -> bool:
        if self.queue.counts().done is None:  # SQS cannot list its tasks: as long as anything is in it, this may be
            return (is_resumed or has_forgotten) and not self.queue.is_empty()
        if is_resumed:
            return False
        return any(held.state == "leased" and self._is_of(body, stage.id) for held, body in self.queue.messages())

    def begin(self, stage: Stage, entries: Iterator[Entry]) -> None:  # noqa: ARG002 - an entry says whose it is
        self.queue.insert(entries, lambda _: None, again=True)

    def look(self, stage: Stage, total: int) -> Seen:
        began = time.monotonic()
        is_empty = self.queue.is_empty()  # looked at before the ledger, which has all that has left the queue
        done = count_done(stage, total)
        failed = 0 if done >= total else count_failed(stage, self.queue, self._registry)
        self._slowest = max(self._slowest, time.monotonic() - began)
        lost = is_empty and done < total and not failed
        trouble = (
            f"tasks have left {self.queue.url} and are not in the ledger at {stage.job.home()}: somebody has purged them. "
            "Give the same command again"
        )
        return Seen(done, failed, done >= total or bool(failed) or lost, trouble if lost else "")

    def wait(self) -> None:
        pause = max(self._interval, min(LONGEST_PAUSE, SHARE * self._slowest))
        self._slowest = 0.0
        time.sleep(pause)

    def _is_of(self, body: bytes, id: str) -> bool:
        try:
            return decode(body, self._registry).job_id == id
        except BadMessage:  # somebody else's
            return False


def count_done(stage: Stage, total: int) -> int:
    """How many tasks of a stage the ledger has; about, as the names of its files say, while there are fewer than `total`."""
    most = most_records(list_files(open_store(stage.job.home()), f"ledger/{stage.id}"))
    if most is not None and most < total:
        return most
    return len(stage.ledger.done(None))
