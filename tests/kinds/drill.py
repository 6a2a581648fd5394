"""A kind for tests: many small pieces, whose executions can be counted and whose outputs can be compared."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec

from teravox.pipeline.job import Job
from teravox.pipeline.options import Layer, Seconds, says

TICK = 0.01  # seconds


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of a piece."""

    number: int


class Drill(Job[Number], frozen=True):
    """Write many small files, one a piece."""

    layer: Layer
    count: Annotated[int, says("How many pieces.")]
    seconds: Seconds = 0.0  # of work a piece; a process that is stopped does none of it

    def pieces(self) -> Sequence[Number]:
        return [Number(number) for number in range(self.count)]

    def memory(self, piece: Number) -> int:
        return 1_000_000

    def outputs(self, piece: Number) -> Sequence[str]:
        return [f"out/{piece.number}"]

    def run(self, piece: Number) -> None:
        from teravox.pipeline.storage.open import open_store

        store = open_store(self.layer)
        store.append("executions", f"{piece.number} {os.getpid()}\n".encode())
        for _ in range(round(self.seconds / TICK)):
            time.sleep(TICK)
        store.put(f"out/{piece.number}", hashlib.shake_128(str(piece.number).encode()).digest(8192))

    def finish(self) -> None:
        from teravox.pipeline.storage.open import open_store

        open_store(self.layer).put("finished", b"yes")
