"""Listens to the news of a session."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from teravox.pipeline.labelling.session import LabelSession

PATIENCE = 60.0  # seconds


class Ear:
    """Hears the news of a session, one after the other."""

    def __init__(self, session: LabelSession) -> None:
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self._news = session.news.listen()
        next(self._news)  # it listens now
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def until(self, about: str) -> dict[str, Any]:
        """The next news of this sort."""
        while (said := self.heard.get(timeout=PATIENCE))["about"] != about:
            assert said["about"] != "error", said
        return said

    def _listen(self) -> None:
        for event in self._news:
            if event.startswith(b"data: "):
                self.heard.put(json.loads(event.removeprefix(b"data: ")))


@contextmanager
def hearing(session: LabelSession) -> Iterator[Ear]:
    ear = Ear(session)
    yield ear
    session.close()
    ear._thread.join(PATIENCE)
    assert not ear._thread.is_alive()
