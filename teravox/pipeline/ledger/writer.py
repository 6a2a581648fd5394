"""A worker's pen: records go into files of its own, so that no two workers write to one."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable

import msgspec

from teravox.pipeline.ledger.members import pack
from teravox.pipeline.ledger.record import ID, Record
from teravox.pipeline.store import Store

ENDING = ".jsonl-gz"  # zcat reads it; a name in .gz would mean transport compression to a store
MOST_SECONDS = 30.0
MOST_RECORDS = 200
MOST_BYTES = 8_000_000  # of records not yet written
FILE_BYTES = 16_000_000  # where files grow; then the next one is begun, so that readers hold one at a time


class LedgerWriter:
    """Writes one worker's records of one job; for one thread.

    A task may be taken out of the queue only after the flush that wrote its record: a kill then repeats work,
    and never loses a record. Where files grow a flush is due at once; a bucket gets one object for many records.
    """

    def __init__(self, store: Store, folder: str, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._prefix = f"{folder}/{_file_name(worker)}.{os.urandom(4).hex()}"  # a worker's name may come back
        self._clock = clock
        self._number = 0
        self._written = 0  # bytes in the file of this number
        self._lines: list[bytes] = []
        self._bytes = 0
        self._oldest = 0.0

    def __len__(self) -> int:
        """How many records wait for the next flush."""
        return len(self._lines)

    def add(self, record: Record) -> None:
        """Keep a record for the next flush; one that readers would refuse is a ValueError."""
        if not ID.match(record.id):
            raise ValueError(
                f"a record is named by the hash of its task, 32 hexadecimal digits, got {record.id[:80]!r}"
            )
        if not self._lines:
            self._oldest = self._clock()
        line = msgspec.json.encode(record)
        self._lines.append(line)
        self._bytes += len(line)

    def is_due(self) -> bool:
        """Whether records should be flushed now."""
        if not self._lines:
            return False
        return (
            self._store.can_append
            or len(self._lines) >= MOST_RECORDS
            or self._bytes >= MOST_BYTES
            or self._clock() - self._oldest >= MOST_SECONDS
        )

    def flush(self) -> None:
        """Write what was added; if the store raises, the records stay and the next flush tries again."""
        if not self._lines:
            return
        if self._store.can_append:
            self._append()
        else:
            key = f"{self._prefix}.{self._number:06}-{len(self._lines)}{ENDING}"
            self._store.put(key, pack(self._lines))
            self._number += 1
        self._lines.clear()
        self._bytes = 0

    def _append(self) -> None:
        data = b"".join(pack([line]) for line in self._lines)
        if self._written + len(data) > FILE_BYTES and self._written:
            self._next_file()
        try:
            self._store.append(f"{self._prefix}.{self._number:06}{ENDING}", data)
        except BaseException:
            self._next_file()  # this one may end in half a record now
            raise
        self._written += len(data)

    def _next_file(self) -> None:
        self._number += 1
        self._written = 0


def count_in_name(key: str) -> int | None:
    """How many records an object holds, where its name says so."""
    found = re.search(r"\.[0-9]{6,}-([0-9]+)" + re.escape(ENDING) + r"\Z", key)
    return int(found[1]) if found else None


def _file_name(worker: str) -> str:
    """The worker's name if it can be a file's, else something like it that is still its own."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", worker)[:80].strip("-") or "worker"
    if safe == worker:
        return safe
    return f"{safe}-{hashlib.sha256(worker.encode(errors='surrogatepass')).hexdigest()[:8]}"
