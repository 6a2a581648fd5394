"""Damages layers, and repairs them in this process, as `teravox verify --repair` does with workers."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from layers.make import files_of

from teravox import __version__
from teravox.pipeline.ledger import Ledger, Record
from teravox.pipeline.message import decode
from teravox.pipeline.queues.contract import Queue
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.compression import ENDING, compress
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.pipeline.verification import redo
from teravox.pipeline.verification.look import Closeness, Look
from teravox.pipeline.verification.rounds import Repaired, repair_here
from teravox.pipeline.verification.verify import Progress, Verified, open_look, verify
from teravox.pipeline.worker.settings import Outcome, WorkerSettings

DAMAGES = ("delete", "cut", "empty", "flip", "sibling")


def damage(layer: Path, key: str, how: str, seed: int) -> None:
    """Do something to an object, the same for the same seed; `key` is without a compression's ending."""
    choice = random.Random(seed)
    (file,) = [layer / (key + ending) for ending in ENDING.values() if (layer / (key + ending)).is_file()]
    whole = file.read_bytes()
    if how == "delete":
        file.unlink()
    elif how == "cut":
        file.write_bytes(whole[: choice.choice([1, len(whole) // 2, len(whole) - 1])])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "flip":
        bit = choice.choice([0, 4 * len(whole), 8 * len(whole) - 1, choice.randrange(8 * len(whole))])
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(bytes(changed))
    else:
        other = choice.choice([how for how in ENDING if not file.name.endswith(ENDING[how] or file.suffix)] or [None])
        (layer / (key + ENDING[other])).write_bytes(compress(b"another", other))


def swap(layer: Path, one: str, other: str) -> None:
    """Exchange two files."""
    a, b = (layer / one).read_bytes(), (layer / other).read_bytes()
    assert a != b
    (layer / one).write_bytes(b)
    (layer / other).write_bytes(a)


class Kept:
    """A layer with a copy of how it was, to be put back at its own place: its ledger tells of no other."""

    def __init__(self, layer: Path) -> None:
        self.layer = layer
        self._copy = layer.with_name(f"{layer.name}-kept")
        shutil.copytree(layer, self._copy)
        self.contents = contents(layer)

    def put_back(self) -> Path:
        shutil.rmtree(self.layer)
        shutil.copytree(self._copy, self.layer)
        return self.layer


def contents(layer: Path) -> dict[str, bytes]:
    """All files but those of ledgers, which tell of every task that was done."""
    return {name: data for name, data in files_of(str(layer)).items() if "ledger/" not in name}


def repair(path: str, **how: Any) -> Repaired:  # Any: how closely to look
    """Verify and repair; the tasks are done in this process."""
    closeness = Closeness(**how)

    def again() -> tuple[Look, Verified]:
        look = open_look(path, closeness, Registry())
        return look, verify(look, (), Progress())

    return repair_here(*again(), _do, again)


def _do(one: redo.Redo) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redo, "work", work_here)  # stands in for the supervisor
        return redo.redo_here(one, WorkerSettings(), lambda _done, _failed: None)


def work_here(queue: Queue, settings: WorkerSettings, progress: Any = None) -> Outcome:
    registry = Registry()
    done = 0
    while leases := queue.lease(60):
        for lease in leases:
            task = decode(lease.body, registry)
            started = time.time()
            TALLY.begin(task.job.home())
            try:
                task.job.run(task.piece)
            finally:
                tallied = TALLY.end()
            writer = Ledger(open_store(task.job.home()), task.job_id).writer("repair")
            writer.add(
                Record(
                    id=task.id, piece=msgspec.to_builtins(task.piece), version=__version__, host="here", worker="repair", attempt=1,
                    started=started, seconds=time.time() - started, cpu_seconds=0.0, peak_bytes=0,
                    bytes_in=tallied.bytes_in, bytes_out=tallied.bytes_out, outputs=tallied.outputs,
                )
            )  # fmt: skip
            writer.flush()
            done += 1
        queue.done(leases)
    return Outcome(done=done, failed=0, retried=0, released=0, stopped_by="empty")
