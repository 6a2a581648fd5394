"""A child process as its supervisor sees it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from multiprocessing.connection import Connection

import msgspec

from teravox.pipeline import last_words
from teravox.pipeline.queues.contract import Lease
from teravox.pipeline.secrets import redact
from teravox.pipeline.worker.child import ChildSettings
from teravox.pipeline.worker.wire import Answer, Run, receive_answer, send

LOG_LINES = 50  # of a child's output that a dead letter keeps
CRASHED = re.compile(r"Current thread 0x([0-9a-f]+)")  # as faulthandler says it


class Child:
    """One warm process; `lease` is the task that it runs, and None while it waits."""

    def __init__(self, name: str, settings: ChildSettings) -> None:
        self.name = name
        self.lease: Lease | None = None
        self.finishing: str | None = None  # the job whose last duties it does
        self.is_ready = False
        self.is_mute = False  # it has closed its output
        self.began = 0.0
        self.peak = 0
        self.killed_for = ""  # why we killed it, if we did
        self.last_words: list[str] = []  # what it was at when it died, if that may be the reason
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._crashed: int | None = None  # the thread that did
        self._words = last_words.make_file()
        self._rest = b""
        ours, theirs = socket.socketpair()
        self.line = Connection(ours.detach())
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "teravox.pipeline.worker.child"),
                *(str(theirs.fileno()), msgspec.json.encode(settings).decode(), str(self._words)),
            ],
            pass_fds=[theirs.fileno(), self._words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        theirs.close()
        assert self.process.stdout is not None
        self.output = self.process.stdout.fileno()
        os.set_blocking(self.output, False)

    @property
    def is_free(self) -> bool:
        return self.is_ready and self.lease is None and self.finishing is None

    @property
    def seconds(self) -> float:
        """How long the present task has run."""
        return time.monotonic() - self.began

    def run(self, lease: Lease) -> None:
        """Give it a task; its death is noticed by whoever listens for the answer."""
        self.lease = lease
        self._send(Run(lease.body, lease.attempt))

    def finish(self, job_id: str, body: bytes) -> None:
        """Let it do a job's last duties."""
        self.finishing = job_id
        self._send(Run(body, 0, finish=True))

    def _send(self, order: Run) -> None:
        self.began = time.monotonic()
        self.peak = 0
        self.log.clear()
        with contextlib.suppress(OSError):  # it died while it waited: the end of its line says so next
            send(self.line, order)

    def answer(self) -> Answer | None:
        """What it has to say; None if it died instead."""
        try:
            return receive_answer(self.line)
        except (EOFError, OSError):
            return None

    def read_output(self) -> list[str]:
        """The whole lines that it has printed since the last look."""
        try:
            data = os.read(self.output, 65536)
        except BlockingIOError:
            return []
        self.is_mute = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data and self._rest:
            lines, self._rest = [self._rest], b""
        said = [redact(line.decode(errors="replace"))[:2000] for line in lines]
        for line in said:
            if crashed := CRASHED.match(line):
                self._crashed = int(crashed[1], 16)
        self.log.extend(said)
        return said

    def kill(self, why: str) -> None:
        """End it at once; `why` is what the report will say."""
        self.killed_for = why
        self.process.kill()

    def bury(self) -> str:
        """How it died, in words, after the end of its line; frees what it held."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:  # it closed its line and lives on
            self.process.kill()
            code = self.process.wait()
        while self.read_output():
            pass
        if not self.killed_for and code != -signal.SIGKILL:
            self.last_words = list(map(redact, last_words.hear(self._words, self._crashed)))
        os.close(self._words)
        self.line.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        if code < 0:
            return signal.Signals(-code).name
        return f"exit({code})"
