"""What the jobs of a layer have cost, out of the records of their tasks."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.layers.transfer.pieces import MipBox
from teravox.pipeline.say_piece import say_piece

if TYPE_CHECKING:
    from teravox.pipeline.ledger import Record
    from teravox.pipeline.verification.known_jobs import KnownJob

SHOWN = 5  # tasks of a job that are named
BINS = 48  # of the time that a job took

Interval = tuple[int, int]
Intervals = tuple[tuple[Interval, ...], tuple[Interval, ...], tuple[Interval, ...]]


class TaskCost(msgspec.Struct, frozen=True, kw_only=True):
    """A task that is worth naming."""

    job: str
    kind: str
    piece: str
    seconds: float
    peak_bytes: int
    promised: int | None  # bytes; None where nobody can say it any more
    host: str


class JobCost(msgspec.Struct, frozen=True, kw_only=True):
    """A job, and what its finished tasks cost together."""

    id: str
    kind: str
    folder: str  # of the layer, in which its ledger lies; empty for the layer itself
    command: str
    version: str
    asked: float  # Unix time
    mip: int | None
    total: int
    tasks: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    peak_bytes: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    started: float | None = None
    ended: float | None = None
    median: float | None = None  # seconds of a task
    slow: float | None = None  # of twenty tasks, one takes longer
    finished_in: tuple[int, ...] = ()  # tasks that ended in each of BINS equal parts of the time
    slowest: tuple[TaskCost, ...] = ()
    heaviest: tuple[TaskCost, ...] = ()
    intervals: Intervals | None = None  # which the pieces have on each axis, where they are boxes
    wrote: tuple[str, ...] = ()  # folders with what it wrote
    trouble: str | None = None


def cost_of(job: KnownJob) -> JobCost:
    """Read the records of a job, once; 16 bytes of memory a task."""
    mip = job.record.job.get("mip")
    said: dict[str, Any] = {
        "id": job.id,
        "kind": job.record.kind,
        "folder": job.prefix.rstrip("/"),
        "command": job.record.command,
        "version": job.record.version,
        "asked": job.record.time,
        "mip": mip if isinstance(mip, int) else None,
        "total": job.record.total,
    }
    sums = _Sums(said["mip"])
    trouble = None
    try:
        for record in job.ledger.records():
            sums.add(record)
    except TeravoxError as error:
        trouble = str(error)
    return JobCost(**said, **sums.figures(job), trouble=trouble)


class _Sums:
    def __init__(self, mip: int | None) -> None:
        self._mip = mip
        self.totals = dict.fromkeys(("tasks", "bytes_in", "bytes_out", "peak_bytes"), 0)
        self.cpu_seconds = 0.0
        self.seconds = array("d")
        self.ends = array("d")
        self.started: float | None = None
        self.slowest: list[tuple[float, str, Record]] = []
        self.heaviest: list[tuple[int, str, Record]] = []
        self.intervals: list[set[Interval]] | None = [set(), set(), set()]
        self.wrote: set[str] = set()

    def add(self, record: Record) -> None:
        self.totals["tasks"] += 1
        self.totals["bytes_in"] += record.bytes_in
        self.totals["bytes_out"] += record.bytes_out
        self.totals["peak_bytes"] = max(self.totals["peak_bytes"], record.peak_bytes)
        self.cpu_seconds += record.cpu_seconds
        self.seconds.append(record.seconds)
        self.ends.append(record.started + record.seconds)
        self.started = record.started if self.started is None else min(self.started, record.started)
        _keep(self.slowest, (record.seconds, record.id, record))
        _keep(self.heaviest, (record.peak_bytes, record.id, record))
        self.wrote.update(key.rpartition("/")[0] for key in record.outputs)
        if self.intervals is not None:
            self._add_box(record.piece)

    def _add_box(self, piece: Any) -> None:  # Any: as JSON, of whichever kind
        """Note the edges of a piece that is a box, or of a copy's box of its largest mip; there are few of them."""
        try:
            if "box" in piece:
                copied = msgspec.convert(piece, MipBox)
                box = copied.box
                if copied.mip != self._mip:
                    return
            else:
                box = msgspec.convert(piece, Box)
        except (msgspec.ValidationError, TypeError):
            self.intervals = None
            return
        for axis, found in enumerate(self.intervals or ()):
            found.add((box.min[axis], box.max[axis]))

    def figures(self, job: KnownJob) -> dict[str, Any]:  # Any: the fields of a JobCost
        said: dict[str, Any] = dict(self.totals) | {"cpu_seconds": self.cpu_seconds, "seconds": sum(self.seconds)}
        if not self.seconds:
            return said
        import numpy as np

        seconds, ends = np.frombuffer(self.seconds), np.frombuffer(self.ends)
        assert self.started is not None, "there is a record"
        last = float(ends.max())
        width = max(last - self.started, 1e-9)
        bins = np.minimum(((ends - self.started) / width * BINS).astype(int), BINS - 1)
        if self.intervals is not None:
            x, y, z = (tuple(sorted(found)) for found in self.intervals)
            said["intervals"] = (x, y, z)
        return said | {
            "started": self.started,
            "ended": last,
            "median": float(np.median(seconds)),
            "slow": float(np.percentile(seconds, 95)),
            "finished_in": tuple(np.bincount(bins, minlength=BINS).tolist()),
            "slowest": _named(job, self.slowest),
            "heaviest": _named(job, self.heaviest),
            "wrote": tuple(sorted(self.wrote)),
        }


def _keep(largest: list[Any], one: tuple[Any, str, Record]) -> None:  # Any: seconds or bytes
    """Keep what is among the largest; ids of tasks differ, so records are never compared."""
    if len(largest) < SHOWN:
        heapq.heappush(largest, one)
    else:
        heapq.heappushpop(largest, one)


def _named(job: KnownJob, largest: Iterable[tuple[Any, str, Record]]) -> tuple[TaskCost, ...]:  # Any: as above
    return tuple(
        TaskCost(
            job=job.id,
            kind=job.record.kind,
            piece=say_piece(record.piece),
            seconds=record.seconds,
            peak_bytes=record.peak_bytes,
            promised=_promised(job, record),
            host=record.host,
        )
        for _, _, record in sorted(largest, key=lambda one: one[:2], reverse=True)
    )


def _promised(job: KnownJob, record: Record) -> int | None:
    """The memory that the job had expected of a task, if the job can still be asked."""
    try:
        return job.open().memory(job.piece(record.piece))
    except (TeravoxError, msgspec.ValidationError):
        return None
