"""What a queue says of itself at one moment, as `queue status` shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from teravox.pipeline.errors import CannotSay
from teravox.pipeline.queues.contract import Counts, Held, Queue, WorkerRecord
from teravox.pipeline.units import say_seconds

FRESH = 120.0  # seconds after which a worker that said nothing counts as gone


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """None is what this queue cannot know, or what nobody can know yet."""

    url: str
    is_exact: bool
    waiting: int
    paused: int
    leased: int
    done: int | None
    failed: int | None
    total: int | None
    foreign: int
    rate: float | None  # tasks a second
    eta_sec: float | None
    oldest_lease_ends_in: float | None  # seconds; below zero, it has run out
    oldest_lease_holder: str | None
    workers: int | None
    processes: int | None

    @property
    def left(self) -> int:
        return self.waiting + self.paused + self.leased


def survey(queue: Queue, rate: float | None = None) -> Survey:
    """Look at a queue, and change nothing. The rate is the workers' own word unless somebody has measured it."""
    counts = queue.counts()
    now = time.time()
    workers = [record for record in queue.workers() if now - record.seen <= FRESH]
    knows_workers = counts.is_exact
    if rate is None and workers:
        rate = sum(record.rate for record in workers)
    left = counts.waiting + counts.paused + counts.leased
    oldest = _oldest_lease(queue) if counts.leased else None
    return Survey(
        url=queue.url,
        is_exact=counts.is_exact,
        waiting=counts.waiting,
        paused=counts.paused,
        leased=counts.leased,
        done=counts.done,
        failed=counts.failed,
        total=_total(counts),
        foreign=counts.foreign,
        rate=rate,
        eta_sec=left / rate if rate else None,
        oldest_lease_ends_in=oldest.deadline - now if oldest else None,
        oldest_lease_holder=oldest.holder if oldest else None,
        workers=len(workers) if knows_workers else None,
        processes=_processes(workers) if knows_workers else None,
    )


def rows(seen: Survey) -> Iterator[tuple[str, str]]:
    """The survey in words, one fact a row."""
    about = "" if seen.is_exact else "about "

    def say(number: int | None) -> str:
        return "unknown" if number is None else f"{about}{number:,}"

    yield "waiting", say(seen.waiting)
    yield "paused", say(seen.paused)
    yield "leased", say(seen.leased)
    yield "done", say(seen.done)
    yield "failed", say(seen.failed)
    yield "total", say(seen.total)
    yield "rate", "unknown" if seen.rate is None else f"{seen.rate:,.3g} tasks/s"
    yield "ETA", _say_eta(seen)
    yield "oldest lease", _say_oldest(seen)
    yield "workers", _say_workers(seen)
    if seen.foreign:
        yield "foreign files", f"{seen.foreign:,}, left alone"


def _say_workers(seen: Survey) -> str:
    if seen.workers is None:
        return "unknown"
    return f"{seen.workers:,} ({seen.processes:,} at the same time)" if seen.workers else "none"


def _say_eta(seen: Survey) -> str:
    if not seen.left:
        return "now"
    return "unknown" if seen.eta_sec is None else say_seconds(seen.eta_sec)


def _say_oldest(seen: Survey) -> str:
    if not seen.leased:
        return "none"
    if seen.oldest_lease_ends_in is None:
        return "unknown"
    return f"ends in {say_seconds(seen.oldest_lease_ends_in)}, held by {seen.oldest_lease_holder or 'somebody unknown'}"


def _oldest_lease(queue: Queue) -> Held | None:
    """The lease that was renewed longest ago, so the first to run out."""
    try:
        leased = (held for held in queue.tasks() if held.state == "leased")
        return min(leased, key=lambda held: held.deadline, default=None)
    except CannotSay:
        return None


def _total(counts: Counts) -> int | None:
    if counts.done is None or counts.failed is None:
        return None
    return counts.waiting + counts.paused + counts.leased + counts.done + counts.failed


def _processes(workers: list[WorkerRecord]) -> int:
    return sum(record.processes for record in workers)
