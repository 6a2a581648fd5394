"""The leases of a worker: renewed while tasks run, and given up in one place only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.failure import Failure
from teravox.pipeline.queues.contract import Lease, Queue
from teravox.pipeline.worker.log import Log


class LeaseKeeper:
    """Renews every lease each third of its time, in a thread; a lease is known by its token.

    A renewal changes what the queue knows a lease by, so renewing and giving up exclude each other.
    """

    def __init__(self, queue: Queue, seconds: float, log: Log, wake: Callable[[], None]) -> None:
        self._queue = queue
        self._seconds = seconds
        self._log = log
        self._wake = wake
        self._lock = threading.Lock()
        self._held: dict[str, Lease] = {}
        self._lost: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def hold(self, lease: Lease) -> None:
        """Keep a lease from now on."""
        with self._lock:
            self._held[lease.token] = lease

    def is_lost(self, token: str) -> bool:
        """The queue said at a renewal that the lease is somebody else's, or nobody's."""
        return token in self._lost

    def done(self, leases: Sequence[Lease]) -> list[bool]:
        """Take finished tasks out of the queue; False where the lease was lost before."""
        with self._lock:
            held = [lease for lease in (self._held.pop(lease.token, None) for lease in leases) if lease]
            answers = dict(zip((lease.token for lease in held), self._queue.done(held), strict=True))
        return [answers.get(lease.token, False) for lease in leases]

    def release(
        self, lease: Lease, *, pause: float = 0.0, refund: bool = False, failure: Failure | None = None
    ) -> bool:
        """Give a task back; False where the lease was lost before."""
        with self._lock:
            held = self._held.pop(lease.token, None)
            return held is not None and self._queue.release(held, pause=pause, refund=refund, failure=failure)

    def fail(self, lease: Lease, failure: Failure) -> bool:
        """Move a task to the dead letters; False where the lease was lost before."""
        with self._lock:
            held = self._held.pop(lease.token, None)
            return held is not None and self._queue.fail(held, failure)

    def close(self) -> None:
        """Stop renewing; leases that are still held run out by themselves."""
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        pause = self._seconds / 3
        while not self._stop.wait(pause):
            try:
                lost = self._renew()
            except TeravoxError as error:  # the leases live on for two thirds of their time: try again soon
                self._log.warning(f"leases could not be renewed: {error}")
                pause = min(5.0, self._seconds / 10)
                continue
            except Exception as error:  # noqa: BLE001  # a fault of ours must not let all leases run out in silence
                self._log.error(f"leases could not be renewed: {error!r}")
                continue
            pause = self._seconds / 3
            if lost:
                self._wake()

    def _renew(self) -> bool:
        with self._lock:
            held = list(self._held.values())
            if not held:
                return False
            renewed = self._queue.renew(held, self._seconds)
            for old, new in zip(held, renewed, strict=True):
                if new is None:
                    del self._held[old.token]
                    self._lost.add(old.token)
                else:
                    self._held[old.token] = new
            return None in renewed
