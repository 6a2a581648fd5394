"""Does tasks of known jobs again: here and now, or by workers at a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from teravox.pipeline.errors import BadInput
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.ledger import finish_if_complete
from teravox.pipeline.message import encode, task_id
from teravox.pipeline.queues.contract import Entry, Queue
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.urls import normalize
from teravox.pipeline.verification.known_jobs import KnownJob
from teravox.pipeline.worker.settings import Outcome, WorkerSettings
from teravox.pipeline.worker.supervisor import Progress, work

PROVENANCE = "provenance"


class Redo(NamedTuple):
    """Tasks of a job that are to be done, again or at last; None is all of them. Then its end is done, too.

    `clears` are broken objects that the end of the job makes, and that it would take for somebody else's.
    """

    job: KnownJob
    tasks: frozenset[str] | None
    clears: frozenset[str] = frozenset()  # keys within the layer


def redo_here(redo: Redo, settings: WorkerSettings, progress: Progress) -> Outcome:
    """Do the tasks in processes of this machine; what was done before is not told once more in the provenance."""
    known = redo.job
    told = _read_provenances(known) if known.ledger.finished() else {}
    outcome = work(MemoryQueue(_prepare(redo)), settings, progress)
    if outcome.exit_code == ExitCode.DONE and outcome.stopped_by != "signal":
        finish_if_complete(known.ledger, known.open())
    for url, before in told.items():
        store = open_store(url)
        if before is not None and store.get(PROVENANCE) != before:
            store.put(PROVENANCE, before, content_type="application/json")
    return outcome


def _read_provenances(known: KnownJob) -> dict[str, bytes | None]:
    """Those of the layer, and of the folder of a job that writes to one."""
    return {url: open_store(url).get(PROVENANCE) for url in (known.layer, known.store.url)}


def redo_elsewhere(redo: Redo, queue: Queue, progress: Callable[[int], None]) -> int:
    """Put the tasks into a queue, also those that it knows as done; how many there are. Where there are none, the end is done here."""
    inserted = queue.insert(_prepare(redo), progress, again=True)
    tasks = inserted.new + inserted.known
    if not tasks:
        finish_if_complete(redo.job.ledger, redo.job.open())
    return tasks


def is_independent(redo: Redo) -> bool:
    """Whether it reads another layer only, so that it need not wait for what is done again in this one."""
    job: Any = redo.job.open()  # Any: kinds differ in their fields
    source = getattr(job, "source", None)
    return isinstance(source, str) and normalize(source) != normalize(job.home())


def count(redo: Redo) -> int:
    """How many tasks it is."""
    return redo.job.record.total if redo.tasks is None else len(redo.tasks)


def _prepare(redo: Redo) -> Iterator[Entry]:
    """Have all that the tasks need in place, and give their messages; a task that is not of the job any more is an error."""
    from teravox.pipeline.verification.object_rounds import settle_folder

    known = redo.job
    job = known.open()
    open_store(known.layer).delete(redo.clears)
    if known.prefix:
        settle_folder(known)
    job.prepare()
    pieces = job.pieces()
    known.ledger.open(known.record.kind, job, len(pieces), known.record.command)
    if redo.tasks is None:
        return encode(known.record.kind, job, pieces)
    chosen = _find(known, redo.tasks, pieces)
    return encode(known.record.kind, job, chosen)


def _find(
    known: KnownJob, tasks: frozenset[str], pieces: Sequence[Any]
) -> list[Any]:  # Any: kinds differ in their pieces
    """The pieces of these tasks, from the records where these have them."""
    job = known.open()
    found = {record.id: known.piece(record.piece) for record in known.ledger.records() if record.id in tasks}
    if len(found) < len(tasks):
        for piece in pieces:
            id = task_id(known.record.kind, job, piece)
            if id in tasks:
                found[id] = piece
    if lost := tasks - found.keys():
        raise BadInput(
            f"{len(lost):,} tasks of {known.record.kind} are no pieces of it any more: what it reads has changed"
        )
    return list(found.values())
