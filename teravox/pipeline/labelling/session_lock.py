"""Which session writes a layer of labels: two at once would undo each other's strokes."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage, TeravoxError
from teravox.pipeline.processes import own_birth, runs
from teravox.pipeline.store import Store

NAME = "session.json"
BEAT = 5.0  # seconds between two signs of life
STALE = 12.0  # seconds without one after which a session of another machine counts as dead


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """What a session leaves in the layer that it writes."""

    session: str  # a random word
    host: str
    pid: int
    born: float  # Unix time of the process' start, by its machine
    beat: int = 0


class SessionLock:
    """Held from `take` to `release`, and kept alive by a thread meanwhile.

    A session that is killed leaves its lock behind, which the next one finds to be stale. Whoever lost it, because its
    machine slept, hears of it from `check` before it writes.
    """

    def __init__(self, store: Store, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store = store
        self._sleep = sleep
        self._me = Holder(session=secrets.token_hex(8), host=socket.gethostname(), pid=os.getpid(), born=own_birth())
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="label-session", daemon=True)

    def take(self) -> None:
        """Have the layer for this session; BadUsage says who has it."""
        self.refuse_taken()
        self._put()
        other = self._find()  # whoever came at the same moment has won or lost
        if other is not None:
            raise self._taken(other)
        self._thread.start()

    def refuse_taken(self) -> None:
        """Raise BadUsage if another session has the layer; nothing is written."""
        other = self._find()
        if other is not None and self._is_alive(other):
            raise self._taken(other)

    def check(self) -> None:
        """Raise BadInput if another session has the layer now."""
        other = self._find()
        if other is not None:
            raise BadInput(
                f"another session, process {other.pid} on {other.host}, labels {self._store.url} now: "
                "this one no longer writes. Close it, and open the page again when that one has ended"
            )

    def release(self) -> None:
        """Let other sessions have the layer."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            if self._find() is None:
                self._store.delete([NAME])

    def _taken(self, other: Holder) -> BadUsage:
        return BadUsage(
            f"LABELS: {self._store.url} is labelled by another session, process {other.pid} on {other.host}. "
            "End that one, or label another layer"
        )

    def _find(self) -> Holder | None:
        """Somebody else's lock."""
        data = self._store.get(NAME)
        if data is None:
            return None
        try:
            holder = msgspec.json.decode(data, type=Holder)
        except (msgspec.DecodeError, UnicodeDecodeError):  # no session has written that
            return None
        return holder if holder.session != self._me.session else None

    def _is_alive(self, other: Holder) -> bool:
        if other.host == self._me.host:
            return runs(other.pid, other.born)
        waited = 0.0
        while waited < STALE:  # clocks of machines differ, so that only a beat proves that it lives
            self._sleep(BEAT / 5)
            waited += BEAT / 5
            if (now := self._find()) is None:
                return False
            if now != other:
                return True
        return False

    def _put(self) -> None:
        self._me = msgspec.structs.replace(self._me, beat=self._me.beat + 1)
        self._store.put(NAME, msgspec.json.encode(self._me) + b"\n", content_type="application/json")

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with self._lock:
                try:
                    if self._find() is None:
                        self._put()
                except TeravoxError:  # the next beat tries again; meanwhile it goes stale
                    continue
