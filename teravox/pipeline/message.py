"""The JSON message of a task: versioned, strict, named by the hash of what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from teravox.pipeline.errors import BadMessage
from teravox.pipeline.job import AnyJob, piece_type
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.registry import Registry

VERSION = 1
MOST_BYTES = 256 * 1024  # what SQS has always taken
MOST_DEPTH = 64
ID = re.compile(r"[0-9a-f]{32}")

_json = msgspec.json.Encoder(order="sorted")
_SUSPECT = re.compile(rb"\\u0000|[0-9]{19}")  # what may be a fault; most messages have neither


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outside of a message; job and piece are opened only when the kind is known."""

    v: int
    kind: str
    job: msgspec.Raw
    piece: msgspec.Raw
    id: str


class Task(msgspec.Struct, frozen=True):
    """A job and one of its pieces, checked."""

    id: str
    kind: str
    job: AnyJob
    piece: Any  # of the kind's own piece type
    job_id: str


def job_id(kind: str, job: AnyJob) -> str:
    """The hash of a job's kind and parameters: its name in the ledger."""
    return _hash(kind, _canonical(job))


def task_id(kind: str, job: AnyJob, piece: msgspec.Struct) -> str:
    """The hash of a task: the same job and piece have the same name, whoever asks and how often."""
    return _hash(kind, _canonical(job), _canonical(piece))


def encode(kind: str, job: AnyJob, pieces: Iterable[msgspec.Struct]) -> Iterator[Entry]:
    """The messages of a job's pieces, one at a time; BadMessage names a value that no worker would take."""
    job_json = _canonical(job)
    head = b'{"v":%d,"kind":%s,"job":%s,"piece":' % (VERSION, _json.encode(kind), job_json)
    for piece in pieces:
        piece_json = _canonical(piece)
        id = _hash(kind, job_json, piece_json)
        body = b'%s%s,"id":"%s"}' % (head, piece_json, id.encode())
        if len(body) > MOST_BYTES:
            raise BadMessage(
                f"a task of {kind} would be {len(body):,} bytes, and a message holds at most {MOST_BYTES:,}: "
                "put long lists (labels, tables) in a file and name the file"
            )
        yield Entry(id, body)


def decode(body: bytes, registry: Registry) -> Task:
    """The task that a message describes; BadMessage names what is wrong with it, and nothing in it runs."""
    envelope = open_envelope(body)
    if envelope.v != VERSION:
        raise BadMessage(f"message version {envelope.v}; this teravox knows version {VERSION}")
    kind = registry.find(envelope.kind)
    if kind is None:
        raise BadMessage(f"unknown kind {envelope.kind[:80]!r}; a kind of your own needs --plugin on the worker too")
    job = _open(envelope.job, kind, "job", envelope.kind)
    piece = _open(envelope.piece, piece_type(kind), "piece", envelope.kind)
    said = [msgspec.json.decode(part) for part in (envelope.job, envelope.piece)]
    if fault := _find_fault(said):
        raise BadMessage(f"this {envelope.kind!r} task holds {fault}")
    canonical = list(map(_json.encode, said))
    if _hash(envelope.kind, *canonical) != envelope.id:
        raise BadMessage(f"the id {envelope.id[:40]!r} is not the hash of the message: it was changed on its way")
    return Task(envelope.id, envelope.kind, job, piece, _hash(envelope.kind, canonical[0]))


def open_envelope(body: bytes) -> Envelope:
    """The outside of a message, within the limits of size and depth; needs no registry."""
    if not body:
        raise BadMessage("the message is empty")
    if len(body) > MOST_BYTES:
        raise BadMessage(f"the message has {len(body):,} bytes; at most {MOST_BYTES:,} are read")
    if depth(body) > MOST_DEPTH:
        raise BadMessage(f"the message is nested more than {MOST_DEPTH} deep")
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(f"the message is not a task: {_plain(error)}") from None


def depth(body: bytes) -> int:
    """How deep a JSON text is nested; braces within strings do not count, and a string without end is one."""
    deepest = level = 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', body):
        first = token.group()[:1]
        if first in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif first in b"]}":
            level -= 1
    return deepest


def _open(raw: msgspec.Raw, type: type[Any], part: str, kind: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(f"the {part} of this {kind!r} task is wrong: {_plain(error)}") from None


def _canonical(part: msgspec.Struct) -> bytes:
    """The JSON that names a job or a piece: checked, keys in order, `1` in a field of fractions written as `1.0`."""
    try:
        text = _json.encode(msgspec.json.decode(_json.encode(part), type=type(part)))
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise BadMessage(f"this {type(part).__name__} cannot be a message: {_plain(error)}") from None
    if _SUSPECT.search(text) and (fault := _find_fault(msgspec.json.decode(text))):
        raise BadMessage(f"this {type(part).__name__} cannot be a message: it holds {fault}")
    return text


def _find_fault(value: Any) -> str:
    """What no name and no coordinate holds, though JSON can say it; empty where all is well."""
    if isinstance(value, str) and "\0" in value:
        return "a text with a NUL"
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "a number of more than 64 bits"
    parts = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, map(_find_fault, parts)), "")


def _plain(error: Exception) -> str:
    """What an error says, short and fit for a terminal, since it may repeat what a stranger wrote."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(error)[:300])


def _hash(kind: str, *parts: bytes) -> str:
    whole = hashlib.sha256(b"%d\n%s" % (VERSION, kind.encode()))
    for part in parts:
        whole.update(b"\n")
        whole.update(part)
    return whole.hexdigest()[:32]
