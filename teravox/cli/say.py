"""Tasks in few words, for people; what comes out of a queue is shown, never trusted."""

from __future__ import annotations

import msgspec

from teravox.pipeline.errors import BadMessage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.message import open_envelope
from teravox.pipeline.say_piece import say_piece
from teravox.pipeline.secrets import redact


def plain(text: str) -> str:
    """The text without secrets, and without the characters that would steer a terminal."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else repr(letter)[1:-1] for letter in redact(text)
    )


def say_task(body: bytes) -> tuple[str, str]:
    """The kind and the piece of a message, as it says itself."""
    try:
        envelope = open_envelope(body)
        piece = say_piece(msgspec.json.decode(envelope.piece))
    except (BadMessage, msgspec.DecodeError, UnicodeDecodeError) as error:
        return "?", plain(str(error))
    return plain(envelope.kind)[:60], plain(piece)[:120]


def say_tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number:,} tasks"


def say_choices(job: AnyJob, *, quiet: bool) -> None:
    """Show what a job chose by itself."""
    if not quiet:
        for sentence in job.choices():
            print(plain(sentence), flush=True)
