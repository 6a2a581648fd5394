"""Jobs of the kind for any store, in any queue; and what is found of them afterwards."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec
from faults.workers import KINDS

from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.queues.contract import Queue
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.submit import submit

TRIAL = str(KINDS / "cloud_trial.py")
KIND = "cloud-trial"
WORKER = ("--plugin", TRIAL)


def trial(layer: str, count: int, **options: Any) -> AnyJob:  # Any: whatever the kind's fields are
    kind = Registry([TRIAL]).find(KIND)
    assert kind is not None
    return msgspec.convert({"layer": layer, "count": count, **options}, kind)


def put(job: AnyJob, queue: Queue) -> None:
    """Put a trial's tasks into a queue."""
    submitted = submit(job, KIND, queue, resume=False, command="", progress=lambda _: None)
    assert submitted.new == submitted.total


def executions(layer: str) -> Counter[int]:
    """How often each piece was begun."""
    keys = open_store(layer).list("executions/")
    return Counter(int(key.removeprefix("executions/").partition(".")[0]) for key in keys)


def outputs(layer: str) -> dict[str, bytes | None]:
    """What lies in a layer's outputs."""
    store = open_store(layer)
    return store.get_many(list(store.list("out/")))


def expected(count: int) -> dict[str, bytes]:
    """The outputs of a run without faults."""
    return {f"out/{number}": hashlib.shake_128(str(number).encode()).digest(8192) for number in range(count)}


def check_ledger(layer: str, job: AnyJob) -> None:
    """The ledger holds each task, with its output, and knows that the job is finished."""
    ledger = Ledger(open_store(layer), job_id(KIND, job))
    records = list(ledger.records())
    assert sorted(record.piece["number"] for record in records) == list(range(len(job.pieces())))
    assert all(f"out/{record.piece['number']}" in record.outputs for record in records)
    assert ledger.finished()
    assert open_store(layer).get("finished") == b"yes"
