"""Jobs of the kind that tests use, in a queue; and what is found of them afterwards."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import msgspec
from faults.workers import KINDS

from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.queues.contract import Counts
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.atomic_write import is_temporary
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.submit import submit

DRILL = str(KINDS / "drill.py")
WORKER = ("--plugin", DRILL, "--exit-on-empty")


def drill(layer: Path, count: int, seconds: float = 0.0) -> AnyJob:
    kind = Registry([DRILL]).find("drill")
    assert kind is not None
    return msgspec.convert({"layer": f"file://{layer}", "count": count, "seconds": seconds}, kind)


def put(job: AnyJob, queue: Path) -> FolderQueue:
    """Put a drill's tasks into a new folder queue."""
    tasks = FolderQueue(queue, create=True)
    submit(job, "drill", tasks, resume=False, command="", progress=lambda _: None)
    return tasks


def executions(layer: Path) -> Counter[int]:
    """How often each piece was begun."""
    file = layer / "executions"
    lines = file.read_text().splitlines() if file.exists() else []
    return Counter(int(line.split()[0]) for line in lines)


def outputs(layer: Path) -> dict[str, str]:
    """The checksum of each file that readers see in a layer's outputs."""
    files = (path for path in (layer / "out").iterdir() if not is_temporary(path.name))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_all_is_done(queue: Path, count: int) -> None:
    """Every task is done, once, and nothing else is in the queue."""
    found = FolderQueue(queue).counts()
    assert found == Counts(waiting=0, paused=0, leased=0, done=count, failed=0, is_exact=True, foreign=0)


def check_ledger(layer: Path, job: AnyJob) -> None:
    """The ledger holds each task once, with its output, and knows that the job is finished."""
    ledger = Ledger(open_store(f"file://{layer}"), job_id("drill", job))
    records = list(ledger.records())
    pieces = [record.piece["number"] for record in records]
    assert sorted(pieces) == list(range(len(job.pieces())))
    assert all(f"out/{record.piece['number']}" in record.outputs for record in records)
    assert ledger.finished()
    assert (layer / "finished").read_bytes() == b"yes"
