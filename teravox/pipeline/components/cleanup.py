"""Removes what the stages have left for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from teravox.pipeline.components.declaration import Labelling
from teravox.pipeline.stages import Stage
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.storage.open import open_store


def remove_stage_files(stages: Sequence[Stage], labelling: Labelling[Any]) -> None:
    """Remove the files of these stages and their ledgers, which would speak of files that are not there. It may be repeated."""
    for stage in stages:
        stage.ledger.remove()
    remove_folder(open_store(labelling.dest), labelling.folder)
