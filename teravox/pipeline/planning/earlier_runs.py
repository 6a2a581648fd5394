"""Rates of earlier runs, out of the ledgers that lie beside the layers of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import JobRecord, Ledger
from teravox.pipeline.ledger.record import ID
from teravox.pipeline.planning.rates import Rate
from teravox.pipeline.storage.open import open_store

MOST_RECORDS = 20_000  # of a run, that say how long its tasks took
MOST_LEDGERS = 200  # of a layer, whose jobs are looked at
LAYERS = ("dest", "layer", "source")
_PLACE = {*LAYERS, "bounds", "memory"}  # options that do not change what a voxel costs


class Earlier(NamedTuple):
    """A run of the same kind."""

    ledger: Ledger
    job: JobRecord

    def likeness(self, options: dict[str, Any]) -> tuple[tuple[int, ...], int, float]:
        """How good its rates are for a job of these options: the newest version, then the most alike, then the latest."""
        alike = sum(self.job.job.get(name) == value for name, value in options.items() if name not in _PLACE)
        return tuple(map(int, re.findall(r"\d+", self.job.version))), alike, self.job.time


def find_rate(kind: str, job: AnyJob) -> Rate | None:
    """What a voxel took in the run of this kind that is most like a job; None where there was none."""
    options = msgspec.to_builtins(job)
    runs = sorted(_find_runs(kind, job), key=lambda run: run.likeness(options), reverse=True)
    for run in runs:
        rate = measure_rate(run)
        if rate is not None:
            return rate
    return None


def _find_runs(kind: str, job: AnyJob) -> Iterator[Earlier]:
    for url in dict.fromkeys(filter(None, (getattr(job, name, None) for name in LAYERS))):
        if not isinstance(url, str) or url.startswith(("http://", "https://")):
            continue  # the first is a file that is no layer, the others list nothing
        store = open_store(url)
        ids = {key.split("/")[1] for key in store.list("ledger/") if key.endswith("/job.json")}
        for id in sorted(filter(ID.fullmatch, ids))[:MOST_LEDGERS]:
            ledger = Ledger(store, id)
            record = ledger.job()
            if record is not None and record.kind == kind:
                yield Earlier(ledger, record)


class _Sum(NamedTuple):
    """What some tasks took together."""

    tasks: float = 0
    voxels: float = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    bytes_in: float = 0
    bytes_out: float = 0

    def __add__(self, other: object) -> _Sum:
        assert isinstance(other, _Sum)
        return _Sum(*(a + b for a, b in zip(self, other, strict=True)))

    def __sub__(self, other: _Sum) -> _Sum:
        return _Sum(*(a - b for a, b in zip(self, other, strict=True)))


def measure_rate(run: Earlier) -> Rate | None:
    """What a voxel took, without the first task of each worker, which loads the libraries, if enough is left."""
    total = _Sum()
    firsts: dict[str, tuple[float, _Sum]] = {}  # by worker
    for record in run.ledger.some_records(MOST_RECORDS):
        voxels = voxels_of(record.piece)
        if voxels is None:
            return None
        task = _Sum(1, voxels, record.seconds, record.cpu_seconds, record.bytes_in, record.bytes_out)
        total += task
        if record.worker not in firsts or record.started < firsts[record.worker][0]:
            firsts[record.worker] = (record.started, task)
    warm = total - sum((task for _, task in firsts.values()), _Sum())
    if warm.tasks * 2 >= total.tasks:
        total = warm
    if not total.voxels:
        return None
    return Rate(
        cpu_ns=total.cpu_seconds / total.voxels * 1e9,
        ns=total.seconds / total.voxels * 1e9,
        bytes_in=total.bytes_in / total.voxels,
        bytes_out=total.bytes_out / total.voxels,
        source=f"{run.job.command or run.job.kind} (teravox {run.job.version})",
    )


def voxels_of(piece: Any) -> int | None:  # a struct, or any JSON, since kinds differ
    """The voxels of a piece that is a box, or has one; None of others."""
    said = msgspec.to_builtins(piece)
    if isinstance(said, dict) and isinstance(said.get("box"), dict):
        said = said["box"]
    try:
        return msgspec.convert(said, Box).voxels
    except msgspec.ValidationError:
        return None
