"""Does many small things side by side in threads that stay alive between calls."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from teravox.pipeline.limits import granted_cores

T = TypeVar("T")
R = TypeVar("R")

LANES = 16  # the most that runs at once in a process
LOCAL_LANES = 8  # enough where nothing waits for a network
LANES_OF_A_CORE = 2  # there: with more, threads wait for each other and take a tenth more processor time


class _Threads:
    """The threads of this process; a forked child starts its own."""

    def __init__(self) -> None:
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._here = threading.local()

    @property
    def are_here(self) -> bool:
        """Whether the caller is itself one of these threads."""
        return getattr(self._here, "inside", False)

    def pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(LANES, "teravox-io", initializer=self._enter)
            return self._pool

    def submit(self, function: Callable[[T], R], item: T) -> Future[R]:
        """Have a thread do it."""
        pool = self.pool()
        try:
            return pool.submit(function, item)
        except BaseException:
            # Ctrl-C may come when a thread has begun that the pool has not noted yet: at the end of the process the
            # interpreter would wait for it, and nobody would tell it to end.
            self._close(pool)
            raise

    def _close(self, pool: ThreadPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False)

    def _enter(self) -> None:
        self._here.inside = True


_threads = _Threads()


def side_by_side(function: Callable[[T], R], items: Iterable[T], lanes: int = LANES) -> Iterator[R]:
    """The results for all items, as they come; at most `lanes` items are on their way at once, and what is local by the cores.

    The first error cancels what has not begun, waits for what has, and is raised.
    Within a thread of its own it runs one after another, so that nothing waits for itself.
    """
    if _threads.are_here:
        yield from map(function, items)
        return
    if lanes <= LOCAL_LANES:
        lanes = min(lanes, _local_lanes())
    running: set[Future[R]] = set()
    try:
        for item in items:
            if len(running) >= lanes:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
            running.add(_threads.submit(function, item))
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in running:
            future.cancel()
        wait(running)


@functools.cache
def _local_lanes() -> int:
    return LANES_OF_A_CORE * granted_cores()


def do_all(function: Callable[[T], object], items: Iterable[T], lanes: int = LANES) -> None:
    """Do something with every item, side by side; the first error ends it."""
    for _ in side_by_side(function, items, lanes):
        pass
