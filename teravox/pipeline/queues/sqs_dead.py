"""The dead letters of an SQS queue: messages of NAME-failed whose body is the task and whose attribute is the report.

SQS keeps nothing of earlier attempts but their number, so the report is that of the last one.

A task that AWS itself moved there, since workers died over it again and again, looks the same without the attribute;
and what AWS moves back ("DLQ redrive") is a task as it was.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator

import msgspec

from teravox.pipeline.errors import QueueTrouble, TeravoxError, Transient
from teravox.pipeline.failure import DeadLetter, Failure
from teravox.pipeline.message import ID, MOST_BYTES
from teravox.pipeline.queues.contract import Entry
from teravox.pipeline.queues.sqs_insert import batches
from teravox.pipeline.queues.sqs_wire import BATCH, REPORT, Received, Settled, SqsWire

HIDDEN = 30.0  # seconds that a message is hidden while the dead letters are looked through
LAST_LOOK = 1  # seconds to wait for a further message; a shorter question is put to only some of SQS's machines
SLOWEST = 20.0  # messages a second that a walk gets through at least
PARTS = (20_000, 5_000, 1_000, 200)  # letters left of the long parts of a report that must be cut


class _Named(msgspec.Struct, frozen=True):
    id: str


def name_of(message: Received) -> str:
    """The id in a message, or SQS's own name of a message that is no task."""
    try:
        id = msgspec.json.decode(message.body, type=_Named).id
    except (msgspec.DecodeError, UnicodeError):
        id = ""
    return id if ID.fullmatch(id) else message.name


def bury(failed: SqsWire, body: str, failure: Failure) -> None:
    """Store a task among the dead letters."""
    report = write_report(failure, MOST_BYTES - len(body.encode()))
    _expect(failed.send([(body, report)]), failed, "a dead letter could not be stored")


def letters(failed: SqsWire) -> Iterator[DeadLetter]:
    """Every dead letter once; nothing is removed."""
    seen: set[str] = set()
    for batch in _walk(failed):
        for message in batch:
            letter = _letter(message)
            if letter.id not in seen:
                seen.add(letter.id)
                yield letter


def retry(failed: SqsWire, main: SqsWire, match: Callable[[DeadLetter], bool]) -> int:
    """Send the matching letters as new tasks, then remove them: a crash between leaves them in both queues."""
    again: set[str] = set()
    for batch in _walk(failed):
        chosen = [(message, letter) for message in batch for letter in [_letter(message)] if match(letter)]
        tasks = {letter.id: Entry(letter.id, letter.body) for _, letter in chosen if letter.id not in again}
        for part in batches(tasks.values()):
            settled = main.send([(entry.body.decode(), "") for entry in part])
            _expect(settled, main, f"{len(again):,} tasks were put back, and a further one could not be")
            again.update(entry.id for entry in part)
        if chosen:
            settled = failed.delete([message.receipt for message, _ in chosen])
            _expect(settled, failed, "a task that was put back could not be removed from the dead letters")
    return len(again)


@contextlib.contextmanager
def replacing(failed: SqsWire, entries: Iterable[Entry]) -> Iterator[Iterator[Entry]]:
    """The entries, to be sent as new tasks in the block; the letters that are there before of those are removed after it.

    A crash between leaves them in both queues; a task that fails while the others are sent keeps its new letter.
    """
    before = {message.name: name_of(message) for batch in _walk(failed) for message in batch}
    dead = set(before.values())
    sent: set[str] = set()

    def seen() -> Iterator[Entry]:
        for entry in entries:
            if entry.id in dead:
                sent.add(entry.id)
            yield entry

    yield seen()
    for batch in _walk(failed) if sent else ():
        old = [message.receipt for message in batch if before.get(message.name) in sent]
        _expect(failed.delete(old), failed, "the dead letter of a task that was put back could not be removed")


def write_report(failure: Failure, room: int) -> str:
    """The report as JSON in at most `room` bytes with its name and type, its long parts cut; '' if it cannot be."""
    room -= len(REPORT) + len("String")
    for part in (None, *PARTS):
        text = _plain_json(failure if part is None else _cut(failure, part))
        if len(text) <= room:
            return text
    return ""


def _cut(failure: Failure, part: int) -> Failure:
    """The beginning of the text, the end of the traceback, the last of the log lines."""
    log = "\n".join(failure.log)[-part:].split("\n") if failure.log else ()
    return msgspec.structs.replace(
        failure,
        error=failure.error[:part],
        text=failure.text[:part],
        traceback=failure.traceback[-part:],
        log=tuple(log),
    )


def _plain_json(failure: Failure) -> str:
    """SQS refuses some characters of Unicode, so all but ASCII is escaped."""
    return json.dumps(msgspec.to_builtins(failure), ensure_ascii=True, separators=(",", ":"))


def _letter(message: Received) -> DeadLetter:
    """The receive count of a dead letter counts those who looked at it, so without a report the attempts are unknown."""
    failures: tuple[Failure, ...] = ()
    with contextlib.suppress(msgspec.DecodeError, UnicodeError):  # "" or not ours
        failures = (msgspec.json.decode(message.report, type=Failure),)
    return DeadLetter(
        id=name_of(message),
        body=message.body.encode(errors="replace"),
        attempts=failures[-1].attempt if failures else 0,
        failures=failures,
    )


def _walk(failed: SqsWire) -> Iterator[list[Received]]:
    """All messages in tens, each hidden until the walk is over; somebody who walks at the same time sees the others."""
    free, hidden, _ = failed.about()
    seconds = max(HIDDEN, (free + hidden) / SLOWEST)
    seen: set[str] = set()
    receipts: list[str] = []
    try:
        while messages := failed.receive(seconds, BATCH, LAST_LOOK):
            receipts += [message.receipt for message in messages]
            new = [message for message in messages if message.name not in seen]
            if not new:  # they come round again
                return
            seen.update(message.name for message in new)
            yield new
    finally:
        with contextlib.suppress(TeravoxError):  # those that were removed, or all: they show again by themselves
            failed.hide(receipts, 0)


def _expect(settled: Settled, wire: SqsWire, what: str) -> None:
    if settled.refused:
        raise QueueTrouble(f"{wire.shown}: {what}: {', '.join(sorted(set(settled.refused.values())))}")
    if settled.left:
        raise Transient(f"{wire.shown}: {what}: {', '.join(sorted(set(settled.left.values())))}")
