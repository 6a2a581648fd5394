"""Forgets what the ledger has of a job whose input has changed: it would be taken for done."""

from __future__ import annotations

from teravox.pipeline.pipelines import claim
from teravox.pipeline.stages import Stage
from teravox.pipeline.storage.open import open_store


def forget_records(stage: Stage) -> bool:
    """Remove the records of a job, but for the claim of who does so; whether there were any. It may be repeated.

    The stamp goes last, so that a run that is killed in the middle finds that it has to begin again.
    """
    store = open_store(stage.job.home())
    keys = [key for key in store.list(f"ledger/{stage.id}/") if not key.endswith(f"/{claim.NAME}")]
    stamps = [key for key in keys if key.endswith("/stamp.json")]
    store.delete([key for key in keys if key not in stamps])
    store.delete(stamps)
    return bool(keys)
