"""Keeps CephFS from making us wait.

Its metadata server lets us have a file that another machine has made when it has written its journal: at its next
tick, which may be five seconds away, unless somebody asks for the journal. Bringing a new file to the disk asks.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

LONG = 0.01  # seconds after which an operation is held to be waiting, and between two nudges
MOUNTS = Path("/proc/self/mountinfo")


class Nudge:
    """Writes a small file again and again while an operation on the same file system takes long."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._under_way: dict[int, float] = {}  # thread → when its operation began
        self._something = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Nudge if the operations in this block take long."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="nudge", daemon=True)
            self._thread.start()
        me = threading.get_ident()
        self._under_way[me] = time.monotonic()
        self._something.set()
        try:
            yield
        finally:
            del self._under_way[me]

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs, which the first operation starts."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        self._closing = True
        self._something.set()

    def _work(self) -> None:
        while not self._closing:
            self._something.wait()
            self._something.clear()
            while self._under_way and not self._closing:
                time.sleep(LONG)
                began = min(list(self._under_way.values()), default=None)
                if began is not None and time.monotonic() - began >= LONG:
                    with contextlib.suppress(OSError):  # what is wrong is said by the operation that waits
                        self._bring_to_disk()

    def _bring_to_disk(self) -> None:
        file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fsync(file)
        finally:
            os.close(file)
            os.unlink(self._file)  # noqa: PTH108 - as in folder_disk.py, no path is parsed for each step


def lies_on_ceph(folder: str) -> bool:
    """Whether the folder is in a CephFS, mounted by the kernel or by ceph-fuse."""
    device = os.stat(folder).st_dev  # noqa: PTH116 - as above
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = MOUNTS.read_text().splitlines()
    except FileNotFoundError:  # not Linux
        return False
    kinds = (line.partition(" - ")[2].split(" ")[0] for line in mounts if line.split(" ")[2] == number)
    return next(kinds, "") in {"ceph", "fuse.ceph", "fuse.ceph-fuse"}
