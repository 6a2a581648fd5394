"""The end of a job."""

from __future__ import annotations

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger.ledger import Ledger
from teravox.pipeline.storage.leftovers import sweep_leftovers


def finish_if_complete(ledger: Ledger, job: AnyJob) -> bool:
    """Do what is left when every piece is done; whether the job is finished now.

    Call it when no task of the job waits or runs any more. Several workers may do so at once: a job's finish()
    is safe to repeat, and the mark is written after it, so that a kill between the two repeats it.
    """
    if ledger.finished():
        return True
    if not ledger.is_complete():
        return False
    folders = _folders(job)
    job.finish()
    sweep_leftovers(job.home(), folders)
    ledger.mark_finished()
    return True


def _folders(job: AnyJob) -> set[str]:
    """The folders that the first and the last piece write to; those between write to the same."""
    try:
        pieces = job.pieces()
        ends = {0, len(pieces) - 1} if pieces else set()
        return {key.rpartition("/")[0] for end in ends for key in job.outputs(pieces[end])}
    except TeravoxError:  # finish() has run before, and the job has removed what it wrote to
        return set()
