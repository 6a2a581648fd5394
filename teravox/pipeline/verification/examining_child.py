"""A process that answers questions about a layer, one after another, and may crash over one of them."""

from __future__ import annotations

import sys
import traceback
from typing import BinaryIO

import msgspec

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.verification.examining import Answer, Question, examine


def answer(questions: BinaryIO, answers: BinaryIO) -> None:
    """Read the URL of a layer, then a question a line; write an answer a line."""
    layer = Layer.open(msgspec.json.decode(questions.readline(), type=str))
    decoder = msgspec.json.Decoder(Question)
    for line in questions:
        _say(answers, examine(layer, decoder.decode(line)))


def _say(answers: BinaryIO, said: Answer) -> None:
    answers.write(msgspec.json.encode(said) + b"\n")
    answers.flush()


if __name__ == "__main__":
    try:
        answer(sys.stdin.buffer, sys.stdout.buffer)
    except TeravoxError as error:  # the store cannot be read any more: for the parent to say
        _say(sys.stdout.buffer, Answer(fatal=str(error)))
    except Exception:  # noqa: BLE001 - a mistake of ours must not pass for damage
        _say(sys.stdout.buffer, Answer(fatal=traceback.format_exc()))
