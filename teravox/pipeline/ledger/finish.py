"""The end of a job."""

from __future__ import annotations

from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger.ledger import Ledger


def finish_if_complete(ledger: Ledger, job: AnyJob) -> bool:
    """Do what is left when every piece is done; whether the job is finished now.

    Call it when no task of the job waits or runs any more. Several workers may do so at once: a job's finish()
    is safe to repeat, and the mark is written after it, so that a kill between the two repeats it.
    """
    if ledger.finished():
        return True
    if not ledger.is_complete():
        return False
    job.finish()
    ledger.mark_finished()
    return True
