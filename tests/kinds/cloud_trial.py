"""A kind for tests: small pieces on any store, also one that cannot append; a gate holds them in the middle."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec

from teravox.pipeline.job import Job
from teravox.pipeline.options import Bytes, Layer, Seconds, says

TICK = 0.02  # seconds


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of a piece."""

    number: int


class CloudTrial(Job[Number], frozen=True):
    """Write small objects, one a piece, and one more for each execution."""

    layer: Layer
    count: Annotated[int, says("How many pieces.")]
    seconds: Seconds = 0.0
    gate: Annotated[str, says("File that each piece waits for.")] = ""
    needs: Bytes = 1_000_000
    tells: Annotated[int | None, says("Piece whose first execution raises the value of the S3 secret key.")] = None

    def pieces(self) -> Sequence[Number]:
        return [Number(number) for number in range(self.count)]

    def memory(self, piece: Number) -> int:
        return self.needs

    def outputs(self, piece: Number) -> Sequence[str]:
        return [f"out/{piece.number}"]

    def run(self, piece: Number) -> None:
        from teravox.pipeline.storage.open import open_store

        store = open_store(self.layer)
        store.put(f"executions/{piece.number}.{secrets.token_hex(6)}", b"begun")
        if piece.number == self.tells and len(list(store.list(f"executions/{piece.number}."))) == 1:
            raise ValueError(f"the key is {os.environ['AWS_SECRET_ACCESS_KEY']}")
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline or (self.gate and not os.path.exists(self.gate)):  # noqa: PTH110 - a flag
            time.sleep(TICK)
        store.put(f"out/{piece.number}", hashlib.shake_128(str(piece.number).encode()).digest(8192))

    def finish(self) -> None:
        from teravox.pipeline.storage.open import open_store

        open_store(self.layer).put("finished", b"yes")
