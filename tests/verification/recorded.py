"""Does jobs in this process as workers do them: with a ledger, whose records tell what each task has written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from teravox import __version__
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger, Record, finish_if_complete
from teravox.pipeline.message import job_id, task_id
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Closeness
from teravox.pipeline.verification.verify import Progress, Verified, open_look, verify


def make_job(kind: str, **options: Any) -> AnyJob:  # Any: what the kind's fields are
    found = Registry().find(kind)
    assert found is not None
    return msgspec.convert(options, found)


def do_recorded(
    kind: str, *, finish: bool = True, leave_out: Iterable[int] = (), **options: Any
) -> AnyJob:  # Any: as above
    """Prepare a job, run its pieces but those left out, and finish it if all are done."""
    job = make_job(kind, **options)
    job.prepare()
    pieces = job.pieces()
    id = job_id(kind, job)
    ledger = Ledger(open_store(job.home()), id)
    ledger.open(kind, job, len(pieces), f"teravox {kind}")
    writer = ledger.writer("test")
    for number in set(range(len(pieces))).difference(leave_out):
        started = time.time()
        TALLY.begin(job.home())
        try:
            job.run(pieces[number])
        finally:
            tallied = TALLY.end()
        writer.add(
            Record(
                id=task_id(kind, job, pieces[number]),
                piece=msgspec.to_builtins(pieces[number]),
                version=__version__,
                host="here",
                worker="test",
                attempt=1,
                started=started,
                seconds=time.time() - started,
                cpu_seconds=0.0,
                peak_bytes=0,
                bytes_in=tallied.bytes_in,
                bytes_out=tallied.bytes_out,
                outputs=tallied.outputs,
            )
        )
    writer.flush()
    if finish:
        finish_if_complete(ledger, job)
    return job


def verified(path: str, *only: str, sample: int | None = None, checksums: bool = False) -> Verified:
    """What verify says of a layer, or of some of its parts."""
    look = open_look(path, Closeness(sample=sample, checksums=checksums), Registry())
    return verify(look, only, Progress())


def findings(path: str, *only: str, sample: int | None = None, checksums: bool = False) -> list[Finding]:
    """The findings, those of the ledger among them."""
    return list(verified(path, *only, sample=sample, checksums=checksums).findings)


def said(found: Iterable[Finding]) -> set[tuple[str, str]]:
    """What was found at which keys."""
    return {(finding.what, finding.key) for finding in found}
