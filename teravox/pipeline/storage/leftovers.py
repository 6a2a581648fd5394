"""Removes what killed writers left behind: temporary files that nobody will finish."""

# System calls by their names, as where these files are made:
# ruff: noqa: PTH108
from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

from teravox.pipeline.storage.atomic_write import is_temporary
from teravox.pipeline.storage.urls import normalize

OLD = 24 * 3600.0  # seconds; no write takes so long


def sweep_leftovers(url: str, folders: Iterable[str]) -> int:
    """Remove old temporary files from folders of a layer, not from those below them; how many there were.

    It lists the folders, so it is for the end of a job and not for each task. Buckets have no such files.
    """
    url = normalize(url)
    if not url.startswith("file://"):
        return 0
    base = url.removeprefix("file://")
    return sum(_sweep(f"{base}/{folder}") for folder in folders)


def _sweep(folder: str) -> int:
    before = time.time() - OLD
    swept = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") and is_temporary(entry.name) and _is_older(entry, before):
                    with contextlib.suppress(
                        FileNotFoundError, PermissionError
                    ):  # swept by another, or somebody else's
                        os.unlink(entry.path)
                        swept += 1
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return swept  # nothing was written there, or it is not for us to list
    return swept


def _is_older(entry: os.DirEntry[str], moment: float) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < moment
    except FileNotFoundError:  # it was finished at this moment
        return False
