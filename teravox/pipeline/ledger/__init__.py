"""The ledger: what was asked for, and a record of every finished task, beside the layer that the job writes."""

from __future__ import annotations

from teravox.pipeline.ledger.finish import finish_if_complete
from teravox.pipeline.ledger.ledger import Ledger
from teravox.pipeline.ledger.record import JobRecord, Record, Totals
from teravox.pipeline.ledger.resume import SkipDone, skip_done
from teravox.pipeline.ledger.writer import LedgerWriter

__all__ = [
    "JobRecord",
    "Ledger",
    "LedgerWriter",
    "Record",
    "SkipDone",
    "Totals",
    "finish_if_complete",
    "skip_done",
]
