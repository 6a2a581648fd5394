"""Which run of a pipeline sees to a job: two at once then do not do everything twice.

A claim is a courtesy, not a lock: where both believe to have it, tasks are done twice, which does no harm.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.processes import own_birth, runs
from teravox.pipeline.stages import Stage
from teravox.pipeline.storage.open import open_store

NAME = "claim.json"
BEAT = 5.0  # seconds between two signs of life
STALE = 30.0  # seconds without one after which its run counts as dead
SETTLE = 20  # how often the time of a write is waited until a claim is looked at again
SHORTEST = 0.02  # seconds of that


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a run leaves beside the records of a job that it sees to."""

    run: str  # a random word
    host: str
    pid: int
    born: float  # Unix time of the process' start, by its machine
    beat: int = 0


class Claims:
    """The claims of this run, kept alive by a thread until they are released."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._me = Claim(run=secrets.token_hex(8), host=socket.gethostname(), pid=os.getpid(), born=own_birth())
        self._clock = clock
        self._held: dict[str, Stage] = {}
        self._seen: dict[str, tuple[Claim, float]] = {}  # somebody's claim, and when it was new
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, stage: Stage) -> Claim | None:
        """Claim a job for this run; somebody else's claim if there is one and it is alive."""
        if stage.id in self._held:
            return None
        other = self._find(stage)
        if other is not None and self._is_alive(stage.id, other):
            return other
        began = time.monotonic()
        self._put(stage)
        time.sleep(
            max(SHORTEST, SETTLE * min(0.1, time.monotonic() - began))
        )  # whoever came at the same time has won or lost
        other = self._find(stage)
        if other is not None:
            self._seen[stage.id] = (other, self._clock())
            return other
        with self._lock:
            self._held[stage.id] = stage
        self._begin_to_beat()
        return None

    def put_back(self, stage: Stage) -> None:
        """Write the claim again, after its folder was removed by the job itself."""
        self._put(stage)

    def release(self, stage: Stage) -> None:
        """Let another run have the job."""
        with self._lock:
            if self._held.pop(stage.id, None) is not None and self._find(stage) is None:
                open_store(stage.job.home()).delete([_key(stage)])

    def close(self) -> None:
        """Release all; a run that is killed leaves its claims to go stale."""
        self._ended.set()
        for stage in list(self._held.values()):
            try:
                self.release(stage)
            except TeravoxError:  # it goes stale
                continue

    def _find(self, stage: Stage) -> Claim | None:
        """Somebody else's claim."""
        data = open_store(stage.job.home()).get(_key(stage))
        if data is None:
            return None
        try:
            claim = msgspec.json.decode(data, type=Claim)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return claim if claim.run != self._me.run else None

    def _is_alive(self, id: str, claim: Claim) -> bool:
        if claim.host == self._me.host and not runs(claim.pid, claim.born):
            return False
        seen, since = self._seen.get(id, (None, 0.0))
        now = self._clock()
        if seen != claim:
            self._seen[id] = (claim, now)
            return True
        return now - since < STALE

    def _put(self, stage: Stage) -> None:
        self._me = msgspec.structs.replace(self._me, beat=self._me.beat + 1)
        open_store(stage.job.home()).put(
            _key(stage), msgspec.json.encode(self._me) + b"\n", content_type="application/json"
        )

    def _begin_to_beat(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="claims", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with self._lock:
                for stage in self._held.values():
                    try:
                        self._put(stage)
                    except TeravoxError:  # the next beat tries again; meanwhile it goes stale
                        continue


def _key(stage: Stage) -> str:
    return f"ledger/{stage.id}/{NAME}"
