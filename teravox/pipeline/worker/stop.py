"""When a worker stops: signals, limits, and what wakes it."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Wake:
    """A socket that becomes readable when something happened; threads and signal handlers write to it."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def fileno(self) -> int:
        return self._read.fileno()

    def __call__(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it is full, so it is readable
            self._write.send(b"\0")

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._read.recv(4096):
                pass

    def close(self) -> None:
        self._read.close()
        self._write.close()


class Signals:
    """Counts the signals that ask a worker to stop: the first one in order, the second one at once."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self.count = 0
        self.first = 0.0  # monotonic time of the first one
        self.name = ""

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Listen until the end of the block; the third signal does what it would without us."""
        before = {number: signal.signal(number, self._hear) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            self.first = time.monotonic()
            self.name = signal.Signals(number).name
        if self.count == 2:
            for each in STOPPING:
                signal.signal(each, signal.SIG_DFL)
        self._wake()
