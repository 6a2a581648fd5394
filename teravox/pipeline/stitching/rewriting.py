"""A layer may be written by one rule after the other: which job's labels it holds, so that none is taken for done that was overwritten."""

from __future__ import annotations

from typing import Any

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.stitching.declaration import Joining
from teravox.pipeline.stitching.written import Written, read_written, write_written
from teravox.pipeline.storage.open import open_store

KIND = "stitch relabel"


def refuse_to_mix(job: Joining[Any]) -> None:
    """Raise BadUsage if the layer holds bodies that were joined in another way."""
    store = open_store(job.home())
    written = read_written(store)
    if written is None or store.get("info") is None:
        return
    if written.blocks != job.segmented().id:
        how = "of other blocks"
    elif (written.choice, written.min_size) != (job.choice, job.min_size):
        how = f"by the rule {written.choice.rule}, as it was asked"
    else:
        return
    raise BadUsage(
        f"{store.url} holds bodies {how}, and people may be looking at them: write into another layer with --dest, or say "
        "--overwrite"
    )


def is_overwritten(job: AnyJob) -> bool:
    """Whether a job's layer holds the labels of another one, which came later."""
    written = read_written(open_store(job.home()))
    return written is not None and written.job != job_id(KIND, job)


def begin(job: Joining[Any]) -> None:
    """Say that the layer is this job's from now on, and drop what the ledger says of it if another one came since."""
    if is_overwritten(job):
        Ledger(open_store(job.home()), job_id(KIND, job)).remove()
    write_written(open_store(job.home()), Written(job_id(KIND, job), job.segmented().id, job.choice, job.min_size))
