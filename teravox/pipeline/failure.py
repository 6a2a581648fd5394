"""What a failed attempt leaves behind."""

from __future__ import annotations

from typing import Literal

import msgspec

Sort = Literal[
    "fatal",  # the worker stops, the attempt does not count
    "preempted",  # the attempt does not count where the queue can give it back
    "transient",  # tried again after a pause that grows
    "out of memory",  # tried again, and the worker runs fewer tasks side by side
    "bad input",  # to the dead letters at once: trying again changes nothing
    "bad message",  # tried again: a worker of another version or with another plugin may know it
    "error",  # an exception nobody classed: tried again after a pause
    "crashed",  # the child died: a signal, or it called exit
    "hung",  # the child was killed after --task-timeout
    "lost",  # the worker vanished without a word, or its lease ran out
]


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One failed attempt: what happened, where, when, and the last lines that were logged."""

    attempt: int
    sort: Sort
    error: str  # the class of the error, or the signal
    text: str
    host: str
    worker: str
    started: float  # Unix time
    seconds: float
    traceback: str = ""
    log: tuple[str, ...] = ()


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A task that was given up, with what is known of its attempts."""

    id: str
    body: bytes
    attempts: int  # 0 where the queue does not know
    failures: tuple[Failure, ...] = ()
