"""What the page hears of by itself: each piece of news goes to every tab that listens."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import msgspec

PULSE = 15.0  # seconds between two signs of life
MOST = 1000  # pieces that a tab may be behind; one that is further behind is not there any more


class News:
    """Broadcasts to listeners, as server-sent events."""

    def __init__(self) -> None:
        self._listeners: list[queue.Queue[bytes | None]] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def tell(self, about: str, **said: object) -> None:
        """Tell all that listen now."""
        event = b"data: " + msgspec.json.encode({"about": about, **said}) + b"\n\n"
        with self._lock:
            for listener in list(self._listeners):
                self._give(listener, event)

    def listen(self) -> Iterator[bytes]:
        """All news from now on, until there will be none."""
        listener: queue.Queue[bytes | None] = queue.Queue(MOST)
        with self._lock:
            if self._is_closed:
                return
            self._listeners.append(listener)
        try:
            yield b": here\n\n"
            while True:
                try:
                    event = listener.get(timeout=PULSE)
                except queue.Empty:
                    event = b": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

    def close(self) -> None:
        """End the listening of all."""
        with self._lock:
            self._is_closed = True
            for listener in list(self._listeners):
                self._give(listener, None)

    def _give(self, listener: queue.Queue[bytes | None], event: bytes | None) -> None:
        try:
            listener.put_nowait(event)
        except queue.Full:
            self._listeners.remove(listener)
