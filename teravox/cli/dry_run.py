"""What a job would do, without doing any of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from teravox.cli.say import plain, say_tasks
from teravox.pipeline.job import AnyJob
from teravox.pipeline.planning.sample import choose_places
from teravox.pipeline.say_piece import say_piece
from teravox.pipeline.units import say_bytes

SAMPLE = 1000  # pieces that are asked for their memory
KEYS = 5  # of the first piece's outputs that are shown


def show_plan(kind: str, job: AnyJob, *, resume: bool) -> None:
    """Print the tasks, memory and outputs of a job; reads the layer, writes nothing."""
    for left, right in _plan(kind, job, resume=resume):
        print(f"{left:8}{plain(right)}")
    print("This was a dry run: nothing was written.")


def _plan(kind: str, job: AnyJob, *, resume: bool) -> Iterator[tuple[str, str]]:
    pieces = job.pieces()
    total = len(pieces)
    yield "kind", kind
    yield "tasks", f"{total:,}"
    if resume:
        yield "done", f"{_count_done(kind, job):,} of them, says the ledger; they would be left out"
    if not total:
        return
    yield "first", say_piece(pieces[0])
    yield "last", say_piece(pieces[total - 1])
    sample = choose_places(total, SAMPLE)
    most = max(job.memory(pieces[at]) for at in sample)
    basis = (
        "of all tasks" if len(sample) == total else f"of {say_tasks(len(sample))}, spread evenly, that were looked at"
    )
    yield "memory", f"at most {say_bytes(most)} a task ({basis})"
    yield "outputs", _say_outputs(job, pieces)
    for sentence in job.choices():
        yield "chosen", sentence
    if (question := job.question()) is not None:
        yield "asks", question


def _say_outputs(job: AnyJob, pieces: Sequence[Any]) -> str:
    keys = job.outputs(pieces[0])
    more = f" and {len(keys) - KEYS:,} more" if len(keys) > KEYS else ""
    return f"the first task leaves {', '.join(keys[:KEYS])}{more} in {job.home()}" if keys else "none that are kept"


def _count_done(kind: str, job: AnyJob) -> int:
    from teravox import __version__
    from teravox.pipeline.ledger import Ledger
    from teravox.pipeline.message import job_id
    from teravox.pipeline.storage.open import open_store

    return len(Ledger(open_store(job.home()), job_id(kind, job)).done(__version__))
