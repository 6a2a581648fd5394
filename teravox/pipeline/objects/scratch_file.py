"""A file as a place for arrays that are too large for memory: the loops that work on them see no difference."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.kernels.scratch import Scratch

LOOK_EVERY = 0.001  # seconds


class ScratchFile:
    """A file without a name, mapped to memory; it goes when nothing looks at its arrays any more, or with the process.

    The system keeps of it in memory what is in use. On Linux that is at most about `most` bytes: what is more is let go,
    and read again when it is asked for. The temporary folder is the one that the environment names in TMPDIR.
    """

    def __init__(self, size: int, most: int) -> None:
        self._size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        self._most = most
        self._done = threading.Event()

    def __enter__(self) -> Scratch:
        import numpy as np

        with tempfile.TemporaryFile() as file:
            try:
                _claim(file.fileno(), self._size)
            except OSError as error:
                raise TooLittleMemory(
                    f"--memory: what does not fit there goes to a file in {tempfile.gettempdir()}, which cannot have "
                    f"{say_bytes(self._size)}: {os.strerror(error.errno or 0)}. Give more memory, or let TMPDIR name a "
                    "folder with so much room"
                ) from error
            self._map = mmap.mmap(file.fileno(), self._size)
        self._trimmer = threading.Thread(target=self._trim, args=[self._map], daemon=True)
        self._trimmer.start()
        scratch = np.frombuffer(self._map, np.int64)
        scratch[0] = 1
        return scratch

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._trimmer.join()
        del self._map  # not closed: arrays may still look at it

    def _trim(self, map: mmap.mmap) -> None:
        if sys.platform != "linux":
            return
        with Path("/proc/self/statm").open("rb", buffering=0) as status:

            def file_pages() -> int:
                return int(os.pread(status.fileno(), 200, 0).split()[2])

            before = file_pages()
            while not self._done.wait(LOOK_EVERY):
                if (file_pages() - before) * mmap.PAGESIZE > self._most:
                    map.madvise(mmap.MADV_DONTNEED)  # of a file: what was written there stays written


def _claim(file: int, size: int) -> None:
    """Take room on disk, now that it can still be said that there is too little."""
    if sys.platform == "linux":
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)
