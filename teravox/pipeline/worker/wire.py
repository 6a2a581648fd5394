"""What a supervisor and its child say to each other: JSON frames over a socket."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import TypeAlias

import msgspec

from teravox.pipeline.failure import Sort


class Run(msgspec.Struct, frozen=True, tag=True):
    """Run the task in this message; or, with `finish`, what its job still has to do when all pieces are done."""

    body: bytes
    attempt: int
    finish: bool = False


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The child has started and knows its kinds."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """The task is done; what the ledger shall say of it."""

    id: str  # of the task, which the child has held against its message
    kind: str
    piece: msgspec.Raw
    home: str
    job_id: str
    started: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    bytes_in: int
    bytes_out: int
    outputs: dict[str, tuple[int, int]]
    requests_in: int
    requests_out: int


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The job's last duties are done, or were done before, or its ledger says that pieces are missing."""

    kind: str
    is_complete: bool


class Broke(msgspec.Struct, frozen=True, tag=True):
    """The task raised."""

    sort: Sort
    error: str
    text: str
    traceback: str
    started: float
    seconds: float


Answer: TypeAlias = Ready | Done | Finished | Broke

_encoder = msgspec.json.Encoder()
_run = msgspec.json.Decoder(Run)
_answer: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def send(connection: Connection, message: Run | Answer) -> None:
    connection.send_bytes(_encoder.encode(message))


def receive_run(connection: Connection) -> Run:
    return _run.decode(connection.recv_bytes())


def receive_answer(connection: Connection) -> Answer:
    return _answer.decode(connection.recv_bytes())
