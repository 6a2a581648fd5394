"""Removes what the stages have left for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.storage.open import open_store

if TYPE_CHECKING:
    from teravox.pipeline.evaluation.declaration import Evaluation
    from teravox.pipeline.stages import Stage


def remove_stage_files(stages: Sequence[Stage], job: Evaluation[Any]) -> None:
    """Remove the files of these stages and their ledgers, which would speak of files that are not there. It may be repeated.

    The next evaluation then begins anew, since the layers may have changed.
    """
    for stage in stages:
        stage.ledger.remove()
    remove_folder(open_store(job.dest), job.folder)
