"""Has questions about a layer answered, side by side; where broken data may crash a process, by children."""

from __future__ import annotations

import contextlib
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator

import msgspec

from teravox.pipeline.errors import Fatal
from teravox.pipeline.layers.encodings import MAY_CRASH
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.limits import granted_cores
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.examining import Answer, ComparePlace, Question, examine

LONGEST = 600.0  # seconds that one answer may take


class Examiners:
    """Who answers: this process, or children that stay up between questions. Close it at the end."""

    def __init__(self) -> None:
        self._count = max(1, granted_cores())
        self._free: queue.LifoQueue[_Child | None] = queue.LifoQueue()  # who was up last goes first
        for _ in range(self._count):
            self._free.put(None)

    def ask(self, layer: Layer, questions: Iterable[Question]) -> Iterator[tuple[Question, Answer]]:
        """Each question with its answer, in any order."""
        may_crash = any(scale.encoding in MAY_CRASH for scale in layer.info.scales)
        if not may_crash or layer.url.startswith("mem://"):  # what lies in memory lies in this process
            yield from side_by_side(lambda one: (one, examine(layer, one)), questions, layer.lanes)
        else:
            yield from side_by_side(lambda one: self._by_child(layer.url, one), questions, self._count)

    def close(self) -> None:
        """End the children; it may be repeated."""
        for _ in range(self._count):
            child = self._free.get()
            if child is not None:
                child.end()
        for _ in range(self._count):
            self._free.put(None)

    def _by_child(self, url: str, question: Question) -> tuple[Question, Answer]:
        child = self._free.get() or _Child(url)
        answer = None
        try:
            answer = child.answer(question)
        finally:
            died = "" if answer is not None else child.end()
            self._free.put(child if answer is not None else None)
        if answer is None:
            doing = "making it anew" if isinstance(question, ComparePlace) else "decoding it"
            why = f"{doing} ended the process ({died}), so it or what it is made of is damaged"
            return question, Answer("undecodable", why)
        if answer.fatal:
            raise Fatal(answer.fatal)
        return question, answer


class _Child:
    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "teravox.pipeline.verification.examining_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a library says while it crashes
        )
        self._send(url)

    def answer(self, question: Question) -> Answer | None:
        """What it says; None if it died over it, or was killed since it took too long."""
        assert self._process.stdout is not None
        watch = threading.Timer(LONGEST, self._process.kill)
        watch.start()
        try:
            self._send(question)
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        return msgspec.json.decode(line, type=Answer) if line.endswith(b"\n") else None

    def end(self) -> str:
        """How it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process.stdout.close()
        return signal.Signals(-code).name if code < 0 else f"exit({code})"

    def _send(self, said: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it died: the end of its answers says so
            self._process.stdin.write(msgspec.json.encode(said) + b"\n")
            self._process.stdin.flush()
