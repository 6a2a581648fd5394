"""Estimates stage after stage: pieces, memory, bytes, requests and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from teravox.pipeline.errors import BadUsage, TeravoxError
from teravox.pipeline.planning.counting import Counter
from teravox.pipeline.planning.earlier_runs import find_rate, voxels_of
from teravox.pipeline.planning.estimate import Estimate
from teravox.pipeline.planning.figures import Amount
from teravox.pipeline.planning.rates import BUILT_IN, Line, Rate, Rates
from teravox.pipeline.planning.sample import choose_places
from teravox.pipeline.planning.stored_sizes import StoredSizes

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage

T = TypeVar("T")

MOST_PIECES = 2000  # that are looked at; of more, these stand for all
MOST_CHUNKS = 500_000  # that are looked up one by one
FIRST = 100  # pieces that say how many chunks a piece has


class _Looked(NamedTuple):
    """What was found of some pieces."""

    memory: int | None
    reads: list[Amount]
    writes: Amount
    works: list[float | None]  # voxels
    kept: bool
    whys: list[str]


class Estimator:
    """What one stage will have written is known to the next ones."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._sizes = StoredSizes()
        self._volume: float | None = None  # of the last stage whose pieces are boxes
        self._start = rates.start_seconds  # of workers that begin with the first stage

    def estimate(self, stage: Stage, line: Line, *, follows: str | None, given: Rate | None = None) -> Estimate:
        """The figures of a stage whose workers have such a line to the bytes; `given` is a rate that was just measured.

        With `follows`, the name of what must be done before, what cannot be known is left open. Without, it raises.
        """
        later = f"known after {follows}" if follows else None
        start, self._start = self._start, 0.0
        counter = Counter(self._sizes, self._rates.ratios)
        job = stage.job
        pieces, why = _try(later, job.pieces)
        rate = given or find_rate(stage.kind, job)
        if pieces is None:
            return self._unknown(stage, rate or self._rates.of(stage.kind, ()), counter, start, why or "")
        total = len(pieces)
        places = self._choose(job, pieces, later)
        looked = _look(job, [pieces[place] for place in places], counter, later)
        rate = rate or self._rates.of(stage.kind, counter.sorts)
        factor = total / max(1, len(places))
        voxels, works = self._work(looked, total, factor)
        reads = _size_reads(sum(looked.reads, Amount()).times(factor), rate, voxels)
        writes = _size_writes(looked.writes.times(factor), counter, rate, voxels)
        self._expect(counter, writes, factor)
        untimed = None if rate else f"nobody has measured how long {stage.kind} takes; add --sample"
        return Estimate(
            stage=stage,
            tasks=total,
            looked_at=len(places),
            memory=looked.memory,
            reads=reads,
            writes=writes,
            kept=looked.kept,
            rate=rate,
            voxels=voxels,
            often=max(counter.fetched.values(), default=0) / sum(works) if works and counter.fetched else 0.0,
            seconds=None
            if rate is None or works is None
            else self._seconds(looked.reads, writes, total, rate, works, line),
            start=start,
            counter=counter,
            why=_join([*looked.whys, reads.why, writes.why, untimed]),
        )

    def _unknown(self, stage: Stage, rate: Rate | None, counter: Counter, start: float, why: str) -> Estimate:
        """Of a stage whose pieces are not known, the time alone, by the volume of the stage before."""
        nothing = Amount(None, None, exact=False)
        seconds = None if rate is None or self._volume is None else [rate.seconds(self._volume)]
        return Estimate(
            stage=stage,
            tasks=None,
            looked_at=0,
            memory=None,
            reads=nothing,
            writes=nothing,
            kept=True,
            rate=rate,
            voxels=self._volume,
            often=0.0,
            seconds=seconds,
            start=start,
            counter=counter,
            why=why,
        )

    def _choose(self, job: Any, pieces: Sequence[Any], later: str | None) -> Sequence[int]:  # Any: kinds differ
        """Which pieces are looked at: fewer where looking up their chunks would take long."""
        counter = Counter(self._sizes, self._rates.ratios)
        first = choose_places(len(pieces), FIRST)
        for place in first:
            traffic, _ = _try(later, job.traffic, pieces[place])
            if traffic is not None:
                counter.count_chunks(traffic)
        each = counter.chunks_read / max(1, len(first))
        return choose_places(len(pieces), max(FIRST, min(MOST_PIECES, int(MOST_CHUNKS / max(each, 1)))))

    def _work(self, looked: _Looked, total: int, factor: float) -> tuple[float | None, list[float] | None]:
        """The voxels of all tasks, and of each that was looked at; where pieces have none, of the stage before."""
        works = [work for work in looked.works if work is not None]
        if len(works) == len(looked.works):
            self._volume = sum(works) * factor
            return self._volume, works
        if self._volume is None:
            return None, None
        return self._volume, [self._volume / max(1, total)] * len(looked.works)

    def _expect(self, counter: Counter, writes: Amount, factor: float) -> None:
        """Let later stages know what they will find."""
        for (url, prefix), written in counter.written.items():
            self._sizes.expect(url, prefix, written.measure, written.bytes)
        if counter.unsized and writes.bytes is not None:
            for url, prefix in counter.folders:
                self._sizes.expect(url, prefix, counter.unsized * factor, writes.bytes)

    def _seconds(
        self, inputs: Sequence[Amount], writes: Amount, total: int, rate: Rate, works: Sequence[float], line: Line
    ) -> list[float]:
        """How long the tasks take that were looked at; built-in rates were measured without a line to the bytes."""
        if rate.source != BUILT_IN:
            line = Line()
        sent = _travel(line, writes.times(1 / max(1, total)))
        return [
            rate.seconds(work) + self._rates.task_seconds + sent + _travel(line, read)
            for work, read in zip(works, inputs, strict=True)
        ]


def _look(job: Any, pieces: Sequence[Any], counter: Counter, later: str | None) -> _Looked:  # Any: kinds differ
    memory: int | None = 0
    reads: list[Amount] = []
    writes = Amount()
    works: list[float | None] = []
    kept = True
    whys: list[str] = []
    for piece in pieces:
        need, why = _try(later, job.memory, piece)
        memory = None if memory is None or need is None else max(memory, need)
        traffic, why_traffic = _try(later, job.traffic, piece)
        whys += [text for text in (why, why_traffic) if text]
        if traffic is None:
            silent = None if why_traffic else "it does not say what it reads and writes"
            reads.append(Amount(None, None, exact=False, why=silent))
            writes += Amount(None, None, exact=False, why=silent)
            works.append(voxels_of(piece))
            continue
        reads.append(counter.reads(traffic))
        writes += counter.writes(traffic)
        works.append(voxels_of(piece) if traffic.voxels is None else traffic.voxels)
        kept = kept and traffic.kept
    return _Looked(memory, reads, writes, works, kept, whys)


def _size_reads(reads: Amount, rate: Rate | None, voxels: float | None) -> Amount:
    """With what was read before for each voxel, where nothing else tells it."""
    if reads.bytes is None and rate is not None and rate.bytes_in is not None and voxels is not None:
        return Amount(rate.bytes_in * voxels, reads.requests, exact=False)
    return reads


def _size_writes(writes: Amount, counter: Counter, rate: Rate | None, voxels: float | None) -> Amount:
    """With the bytes of what only experience tells the size of."""
    if writes.exact and not counter.unsized:
        return writes
    if rate is not None and rate.bytes_out is not None and voxels is not None:
        was_run = rate.source != BUILT_IN and not counter.copied
        if counter.unsized or was_run:
            return Amount(rate.bytes_out * voxels, writes.requests, exact=False)
    if counter.unsized:
        why = "the size of what it leaves for later stages is known when it has run once; add --sample"
        return Amount(None, writes.requests, exact=False, why=why)
    return writes


def _try(later: str | None, ask: Callable[..., T], *about: object) -> tuple[T | None, str | None]:
    """What is asked for; or why it is not known, where it may be known later."""
    try:
        return ask(*about), None
    except TeravoxError as error:
        if later is None:
            raise
        return None, f"{later} ({error})" if isinstance(error, BadUsage) else later


def _travel(line: Line, amount: Amount) -> float:
    requests, size = amount.requests or 0.0, amount.bytes or 0.0
    return requests / line.side_by_side * line.request_seconds + size / line.bytes_per_second


def _join(whys: Sequence[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(filter(None, whys))) or None
