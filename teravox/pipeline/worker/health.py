"""Tells whoever looks after a worker that it has not come to a stand."""

from __future__ import annotations

import time
from pathlib import Path

from teravox.pipeline.errors import BadUsage

BEAT_EVERY = 5.0  # seconds between two touches


class Health:
    """Touches a file while the worker goes about its work; without a file it does nothing.

    A beat says that the supervisor hears, decides and writes. Tasks that hang are the business of --task-timeout.
    """

    def __init__(self, file: str | None) -> None:
        self._file = Path(file) if file is not None else None
        self._next = 0.0

    def begin(self) -> None:
        """The first beat; refuses a file that cannot be written."""
        if self._file is None:
            return
        try:
            self._file.touch()
        except OSError as error:
            raise BadUsage(f"--health-file: {self._file} cannot be written: {error.strerror}") from None

    def beat(self) -> None:
        """Touch the file if it is time; where that fails, its age tells."""
        now = time.monotonic()
        if self._file is None or now < self._next:
            return
        self._next = now + BEAT_EVERY
        try:
            self._file.touch()
        except OSError:  # the disk is full or the folder is gone: the file grows old, as that of a worker that hangs
            return
