"""Many tasks into SQS: several batches under way at once, and no more tasks in memory than those."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from teravox.pipeline.errors import QueueTrouble, TeravoxError
from teravox.pipeline.message import MOST_BYTES
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.sqs_wire import BATCH, SIDE_BY_SIDE, Settled, SqsWire


def insert(wire: SqsWire, entries: Iterable[Entry], progress: Callable[[int], None]) -> int:
    """Send all tasks and return how many; see the contract for what it promises."""
    return _Insert(wire, progress).run(entries)


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Cut tasks into requests of at most ten, and of no more bytes than SQS takes at once."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == BATCH or size + len(entry.body) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry.body)
    if batch:
        yield batch


class _Insert:
    """One insert under way. Its threads are daemons, so a request that hangs does not hold up a Ctrl-C."""

    def __init__(self, wire: SqsWire, progress: Callable[[int], None]) -> None:
        self._wire = wire
        self._progress = progress
        self._to_send: queue.SimpleQueue[list[Entry] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Settled | Exception] = queue.SimpleQueue()
        self._under_way = 0
        self._stored = 0
        self._trouble = ""

    def run(self, entries: Iterable[Entry]) -> int:
        for _ in range(SIDE_BY_SIDE):
            threading.Thread(target=self._send, name="insert", daemon=True).start()
        try:
            self._feed(entries)
        finally:
            for _ in range(SIDE_BY_SIDE):
                self._to_send.put(None)
        if self._trouble:
            raise QueueTrouble(f"{self._wire.shown}: {self._stored:,} tasks were stored, then {self._trouble}")
        return self._stored

    def _feed(self, entries: Iterable[Entry]) -> None:
        try:
            for batch in batches(entries):
                self._to_send.put(batch)
                self._under_way += 1
                while self._under_way >= SIDE_BY_SIDE or not self._answers.empty():
                    self._hear()
                if self._trouble:
                    break
        except Exception:  # no further task can be made; those under way are counted before that is said
            self._hear_all()
            raise
        self._hear_all()

    def _hear_all(self) -> None:
        while self._under_way:
            self._hear()

    def _hear(self) -> None:
        answer = self._answers.get()
        self._under_way -= 1
        if isinstance(answer, TeravoxError):
            self._trouble = str(answer)
            return
        if isinstance(answer, Exception):
            raise answer
        self._stored += len(answer.taken)
        if answer.taken:
            self._progress(len(answer.taken))
        if answer.refused:
            self._trouble = f"SQS refused {len(answer.refused)}: {', '.join(sorted(set(answer.refused.values())))}"
        elif answer.left:
            self._trouble = f"{len(answer.left)} could not be: {', '.join(sorted(set(answer.left.values())))}"

    def _send(self) -> None:
        while (batch := self._to_send.get()) is not None:
            try:
                self._answers.put(self._wire.send([(entry.body.decode(), "") for entry in batch]))
            except Exception as error:  # noqa: BLE001  # raised again by _hear, where somebody listens
                self._answers.put(error)
