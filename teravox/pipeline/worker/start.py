"""Starts the processes that run tasks: anew, or as copies of this one, which need not import again what it has."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

import msgspec

from teravox.pipeline import last_words
from teravox.pipeline.worker.child import ChildSettings, serve

STANDARD = {0, 1, 2}  # file descriptors that every process has
POLL = 0.005  # seconds between two looks whether a copy has ended


class Process(Protocol):
    """What a supervisor does with a process that it started, as subprocess.Popen does it."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal; TimeoutExpired if it has not ended after so many seconds."""


class Started(NamedTuple):
    """A process, and the ends of what leads to it."""

    process: Process
    line: Connection
    output: int  # what it prints, not blocking
    words: int  # the file for its last words

    def close(self) -> None:
        """Let go of these ends."""
        self.line.close()
        os.close(self.output)
        os.close(self.words)


def start_anew(settings: ChildSettings) -> Started:
    """Start Python once more."""
    words = last_words.make_file()
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "teravox.pipeline.worker.child"),
            *(str(theirs.fileno()), msgspec.json.encode(settings).decode(), str(words)),
        ],
        pass_fds=[theirs.fileno(), words],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    theirs.close()
    os.close(writer)
    os.set_blocking(reader, False)
    return Started(process, Connection(ours.detach()), reader, words)


def start_copies(settings: ChildSettings, count: int) -> list[Started]:
    """Copies of this process, as many as were asked for where it has nothing that a copy could not use beside it; else none.

    A copy of a process with threads may find locks held for ever, and one of a process with open files or connections
    shares their state with it.
    """
    copies: list[Started] = []
    if not _is_alone():
        return copies
    sys.stdout.flush()
    sys.stderr.flush()
    while len(copies) < count:
        copies.append(_copy(settings, copies))
    return copies


def _is_alone() -> bool:
    """Whether this process has one thread, and no file open but the standard ones; False where the system does not say."""
    if sys.platform != "linux":
        return False
    try:
        threads = list(Path("/proc/self/task").iterdir())
        files = {int(file.name) for file in Path("/proc/self/fd").iterdir()}
    except OSError:
        return False
    return len(threads) == 1 and len(files - STANDARD) <= 1  # that of the folder itself, while it is listed


def _copy(settings: ChildSettings, others: list[Started]) -> Started:
    words = last_words.make_file()
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        ours.close()
        os.close(reader)
        for other in others:
            other.close()
        _be_child(Connection(theirs.detach()), settings, words, writer)
    theirs.close()
    os.close(writer)
    os.set_blocking(reader, False)
    return Started(_Copy(pid), Connection(ours.detach()), reader, words)


def _be_child(line: Connection, settings: ChildSettings, words: int, output: int) -> NoReturn:
    """The life of a copy: nothing of what the process was doing when it was copied is done twice."""
    code = 1
    try:
        for number in (1, 2):
            os.dup2(output, number)
        os.close(output)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        gc.freeze()  # what was there before is not looked through again, so its memory stays shared
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the supervisor has gone
            serve(line, settings, words)
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is must end here, and not in what the copied process was doing
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


class _Copy:
    """A copy of this process; its number is its own until it has been waited for."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def kill(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while self._code is None:
            pid, status = os.waitpid(self.pid, 0 if end is None else os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("a copy of this process", timeout or 0)
            else:
                time.sleep(POLL)
        return self._code
