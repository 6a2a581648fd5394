"""Real worker processes: started, killed, stopped, waited for, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

HANGS = 300.0  # seconds after which something hangs, on however slow a machine
KINDS = Path(__file__).parent.parent / "kinds"


class WorkerProcess:
    """One `teravox execute`, alone in its session, so that whatever it leaves can be found."""

    def __init__(
        self,
        queue: Path | str,
        options: tuple[str, ...],
        log: Path,
        environ: Mapping[str, str],
        before: Sequence[str] = (),
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*before, sys.executable, "-m", "teravox", "execute", str(queue), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environ},
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The processes that it started and that live, also when it lives no more itself."""
        return [pid for pid in _of_session(self.pid) if pid != self.pid]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9 of the supervisor alone; AssertionError if a child of it lives on."""
        self._process.kill()
        self._process.wait()
        until(lambda: not self.children(), "the children of a killed worker end", lambda: str(self.children()))

    def wait(self) -> int:
        """Its exit code."""
        try:
            return self._process.wait(HANGS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"a worker does not end after {HANGS:.0f} s:\n{self.said[-5000:]}") from None

    def sweep(self) -> None:
        """End it and all that it started, whatever state they are in."""
        children = self.children()
        self._process.kill()
        self._process.wait()
        for child in children:
            with suppress(ProcessLookupError):  # it ended with its supervisor
                os.kill(child, signal.SIGKILL)


class Fleet:
    """The workers of one test on one queue."""

    def __init__(self, queue: Path | str, logs: Path) -> None:
        self.queue = queue
        self._logs = logs
        self._started = 0
        self.workers: list[WorkerProcess] = []  # all that were started, in this order

    def start(
        self, *options: str, environ: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> WorkerProcess:
        """Start one; `before` is a command that runs it, as `unshare` does."""
        self._started += 1
        log = self._logs / f"worker-{self._started}.log"
        worker = WorkerProcess(self.queue, options, log, environ or {}, before)
        self.workers.append(worker)
        return worker

    @property
    def running(self) -> list[WorkerProcess]:
        return [worker for worker in self.workers if worker.is_running]

    def wait(self) -> list[int]:
        """The exit codes of those that were not killed, in the order of their start."""
        codes = [worker.wait() for worker in self.workers]
        return [code for code in codes if code != -signal.SIGKILL]

    @property
    def said(self) -> str:
        """What all of them have printed so far."""
        return "".join(worker.said for worker in self.workers)


@contextmanager
def fleet(queue: Path | str, logs: Path | None = None) -> Iterator[Fleet]:
    """Workers on a queue, all of which are gone after the block; their logs lie beside the queue, or as said."""
    if logs is None:
        logs = Path(f"{queue}-logs")
    logs.mkdir()
    workers = Fleet(queue, logs)
    try:
        yield workers
    finally:
        for worker in workers.workers:
            worker.sweep()


def until(
    fact: Callable[[], bool], what: str, found: Callable[[], str] = lambda: "", *, look_every: float = 0.02
) -> None:
    """Wait for a fact; AssertionError if it does not come true in a time that no slowness explains."""
    deadline = time.monotonic() + HANGS
    while not fact():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {HANGS:.0f} s it is still not so that {what}; {found()[-5000:]}")
        time.sleep(look_every)


def _of_session(session: int) -> list[int]:
    return [pid for pid in psutil.pids() if _session_of(pid) == session and _lives(pid)]


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
