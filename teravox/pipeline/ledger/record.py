"""What a ledger holds: the job as it was asked for, and a record of each finished task."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

ID = re.compile(r"^[0-9a-f]{32}\Z")
Id = Annotated[str, Meta(pattern=ID.pattern)]
Output = tuple[int, int]  # bytes as they are stored, and their CRC-32


class JobRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job as it was asked for the first time; credentials in it read `***`."""

    kind: str
    job: dict[str, Any]  # the parameters of whichever kind this is
    version: str  # of teravox
    total: int  # pieces
    time: float  # Unix time
    command: str


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished task: who did it, what it cost and what it left behind."""

    id: Id
    piece: Any  # as the kind declares its pieces; read back with msgspec.convert(record.piece, piece_type(kind))
    version: str  # of teravox
    host: str
    worker: str
    attempt: int
    started: float  # Unix time
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    bytes_in: int
    bytes_out: int
    outputs: dict[str, Output]
    requests_in: int = 0  # 0 also in records of versions that did not count them
    requests_out: int = 0


class Mark(msgspec.Struct, frozen=True):
    """The part of a record that says which task was done when, and at what cost; quick to read."""

    id: Id
    version: str
    started: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    bytes_in: int
    bytes_out: int

    @property
    def ended(self) -> float:
        return self.started + self.seconds


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the finished tasks of a job cost together."""

    tasks: int = 0
    seconds: float = 0.0  # of all tasks, as if they had run one after another
    cpu_seconds: float = 0.0
    peak_bytes: int = 0  # of the largest task
    bytes_in: int = 0
    bytes_out: int = 0
    started: float | None = None  # Unix time of the first start
    ended: float | None = None  # Unix time of the last end

    def add(self, task: Mark) -> Totals:
        return Totals(
            tasks=self.tasks + 1,
            seconds=self.seconds + task.seconds,
            cpu_seconds=self.cpu_seconds + task.cpu_seconds,
            peak_bytes=max(self.peak_bytes, task.peak_bytes),
            bytes_in=self.bytes_in + task.bytes_in,
            bytes_out=self.bytes_out + task.bytes_out,
            started=task.started if self.started is None else min(self.started, task.started),
            ended=task.ended if self.ended is None else max(self.ended, task.ended),
        )
