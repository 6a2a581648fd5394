"""Looks into one place of a layer: decodes a chunk, or makes a part of a mip anew; here, or in a child that may crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from teravox.kernels.slabs import Method
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.verification.finding import What

if TYPE_CHECKING:
    from teravox.pipeline.layers.chunk_source import ChunkSource, Stored


class DecodeChunk(msgspec.Struct, frozen=True, tag=True):
    """Whether a chunk can be decoded."""

    mip: int
    box: Box


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a mip was made of one below it."""

    base: int  # the mip that was read
    step: int  # mips above it
    factor: Vec
    method: Method
    sparse: bool = False
    fill_missing: bool = False
    is_exact: bool = True  # what was read is what is stored now


class ComparePlace(msgspec.Struct, frozen=True, tag=True):
    """Whether a box of a mip is what is made of the mip below it; without a recipe, what any method could make of it."""

    mip: int
    box: Box
    recipe: Recipe | None


Question = DecodeChunk | ComparePlace


class Answer(msgspec.Struct, frozen=True):
    """What is wrong there; nothing, where `what` is None. `note` says why it could not be looked at, `fatal` why nothing can."""

    what: What | None = None
    why: str = ""
    note: str = ""
    fatal: str = ""


ABSENT = Answer(note="it is not there, or was left out because it is empty")


def examine(layer: Layer, question: Question) -> Answer:
    """Answer a question; the process may crash over data in an encoding of `MAY_CRASH`."""
    try:
        if isinstance(question, ComparePlace):
            from teravox.pipeline.verification.comparing import compare

            return compare(layer, question)
        return _decode(layer, question)
    except BadUsage as error:  # what decodes it is not installed
        return Answer(note=str(error))


def _decode(layer: Layer, question: DecodeChunk) -> Answer:
    from teravox.pipeline.layers.chunk_source import ChunkSource

    source = ChunkSource(layer, question.mip, fill_missing=True)
    answers: list[Answer] = []

    def look(chunk: Box, stored: Stored | None) -> None:
        answers.append(ABSENT if stored is None else _look_into(source, chunk, stored))

    try:
        source.for_each_stored([question.box], look)
    except BadInput as error:
        return Answer("undecodable", say_why(error))
    return answers[0]


def _look_into(source: ChunkSource, chunk: Box, stored: Stored) -> Answer:
    try:
        source.check_whole(chunk, stored.encoded)
    except BadInput as error:
        return Answer("truncated", say_why(error))
    try:
        source.use_decoded(chunk, stored.encoded, lambda voxels: voxels.any())
    except BadInput as error:
        return Answer("undecodable", say_why(error))
    return Answer()


def say_why(error: BadInput) -> str:
    """What an error about a chunk found, without the chunk's name and what to do about it."""
    from teravox.pipeline.layers.chunk_source import REMEDY

    text = str(error).removesuffix(f". {REMEDY}")
    _, found, why = text.partition(" cannot be read: ")
    return why if found else text
