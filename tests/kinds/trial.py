"""A kind for tests: each piece does what its word says, and leaves a file that says so."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from teravox.pipeline.errors import BadInput, Fatal, Transient
from teravox.pipeline.job import Job
from teravox.pipeline.options import Layer, says


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of a piece."""

    number: int


class Trial(Job[Number], frozen=True):
    """Try what happens when tasks behave in all sorts of ways."""

    layer: Layer
    words: Annotated[tuple[str, ...], says("What each piece does: ok, raise, exit, segfault, kill, hang, …")] = ()
    seconds: Annotated[float, says("How long each piece takes.")] = 0.0

    @property
    def folder(self) -> Path:
        return Path(self.layer.removeprefix("file://"))

    def prepare(self) -> None:
        (self.folder / "out").mkdir(parents=True, exist_ok=True)

    def pieces(self) -> Sequence[Number]:
        return [Number(number) for number in range(len(self.words))]

    def memory(self, piece: Number) -> int:
        word = self.words[piece.number]
        return int(word.removeprefix("needs:")) if word.startswith("needs:") else 1_000_000

    def outputs(self, piece: Number) -> Sequence[str]:
        return [f"out/{piece.number}"]

    def run(self, piece: Number) -> None:
        from teravox.pipeline.storage.open import open_store

        store = open_store(self.layer)
        store.append("executions", f"{piece.number}\n".encode())
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            time.sleep(min(0.01, self.seconds))
        self._act(self.words[piece.number], piece)
        store.put(f"out/{piece.number}", f"piece {piece.number}\n".encode() * 100)

    def finish(self) -> None:
        deadly = self.folder / "deadly"  # how many processes may still die of this
        if deadly.exists() and (left := int(deadly.read_text())):
            deadly.write_text(str(left - 1))
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / "finished").write_text("yes")

    def _act(self, word: str, piece: Number) -> None:
        tries = (self.folder / "executions").read_text().split().count(str(piece.number))
        print(f"piece {piece.number} will {word}", flush=True)
        match word.partition(":")[0]:
            case "raise":
                raise ValueError(f"piece {piece.number} raised")
            case "twice" if tries < 3:
                raise ValueError(f"piece {piece.number} raised at attempt {tries}")
            case "exit":
                sys.exit(7)
            case "segfault":
                ctypes.string_at(0)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                while True:
                    time.sleep(60)
            case "memory":
                raise MemoryError
            case "limit":
                _allocate_more_than_allowed()
            case "orphan":
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(600)
            case "eat":
                hoard = bytearray(int(word.partition(":")[2]))
                hoard[::4096] = b"x" * len(hoard[::4096])
                time.sleep(3)
            case "bad":
                raise BadInput(f"piece {piece.number} has bad input")
            case "fatal":
                raise Fatal(f"piece {piece.number}: the credentials are wrong")
            case "transient" if tries < 2:
                raise Transient(f"piece {piece.number}: the network is down")
            case "secret":
                raise ValueError(os.environ["AWS_SECRET_ACCESS_KEY"] + " at postgres://me:hunter2hunter2@db/x")


def _allocate_more_than_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, hard))
    try:
        bytearray(1 << 31)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
