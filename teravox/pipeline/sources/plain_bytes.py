"""The bytes of a file, from any place in it: of a plain file, or of one that is packed with gzip."""

# System calls by their names: reads go straight into the array that wants them.
# ruff: noqa: PTH123
from __future__ import annotations

import os
from typing import Protocol

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.errno_sentences import explain
from teravox.pipeline.storage.tally import TALLY


class Bytes(Protocol):
    """Bytes by their place. Threads may read side by side where `lanes` allows it."""

    path: str
    lanes: int

    def fill(self, buffer: memoryview, start: int) -> None:
        """Read as many bytes as the buffer holds; BadInput where the file ends before."""

    def close(self) -> None: ...


class PlainBytes:
    """An ordinary file, read by `pread`: mapped memory would count as ours, and a file that shrinks would kill us."""

    def __init__(self, path: str, lanes: int) -> None:
        self.path = path
        self.lanes = lanes
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - close() closes it
        except OSError as error:
            raise explain(error, "read", path) from error

    @property
    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def fill(self, buffer: memoryview, start: int) -> None:
        at = 0
        while at < len(buffer):
            try:
                count = os.preadv(self._file.fileno(), [buffer[at:]], start + at)
            except OSError as error:
                raise explain(error, "read", self.path) from error
            if not count:
                raise BadInput(
                    f"{self.path} is cut off: it ends at byte {start + at:,}, where {len(buffer) - at:,} more are expected"
                )
            at += count
        TALLY.read(at)

    def close(self) -> None:
        self._file.close()
