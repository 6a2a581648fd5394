"""The records of a job out of all its files, each task once."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import TypeVar

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.ledger.members import Unreadable, unpack
from teravox.pipeline.ledger.record import Mark, Record
from teravox.pipeline.ledger.writer import ENDING, count_in_name
from teravox.pipeline.store import Store

R = TypeVar("R", Record, Mark)
WIDTH = 16  # bytes of an id
AT_ONCE = 64  # objects that are fetched side by side


class Survey:
    """Which records there are and which of them count, after one look at all files; about 26 bytes a record.

    Of a task that ran more than once, the record that ended last counts. What is written later is not seen.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._ids = bytearray()
        self._versions = array("H")
        self._version_names: dict[str, int] = {}
        self._counts: dict[str, int] = {}  # file → its records
        ended = array("d")
        for key, marks in self._open(list_files(store, folder), Mark):
            before = len(ended)
            for mark in marks:
                self._ids += bytes.fromhex(mark.id)
                self._versions.append(self._version_names.setdefault(mark.version, len(self._version_names)))
                ended.append(mark.ended)
            self._counts[key] = len(ended) - before
        self._outdated = self._find_outdated(ended)

    def __len__(self) -> int:
        """How many tasks were done."""
        return len(self._versions) - len(self._outdated)

    def ids(self, version: str | None) -> Iterator[str]:
        """The tasks whose record counts and is by this version, or by any."""
        number = None if version is None else self._version_names.get(version, -1)
        for place, by in enumerate(self._versions):
            if (number is None or by == number) and place not in self._outdated:
                yield self._id(place).hex()

    def records(self, type: type[R]) -> Iterator[R]:
        """The records that count, read again."""
        place = 0
        for key, records in self._open(list(self._counts), type):
            for record in islice(records, self._counts[key]):
                if place not in self._outdated:
                    yield record
                place += 1

    def _id(self, place: int) -> bytes:
        return bytes(self._ids[place * WIDTH : (place + 1) * WIDTH])

    def _find_outdated(self, ended: array[float]) -> set[int]:
        """The places of records that a later one of the same task replaces."""
        ordered = sorted(map(self._id, range(len(ended))))
        repeated = {a for a, b in pairwise(ordered) if a == b}
        del ordered
        latest: dict[bytes, int] = {}
        outdated = set()
        for place in range(len(ended)) if repeated else ():
            id = self._id(place)
            if id in repeated:
                other = latest.setdefault(id, place)
                older, latest[id] = sorted((other, place), key=lambda n: (ended[n], n))
                if older != latest[id]:
                    outdated.add(older)
        return outdated

    def _open(self, keys: list[str], type: type[R]) -> Iterator[tuple[str, Iterator[R]]]:
        """The files with their records, in the order of the keys."""
        at_once = 1 if self._store.can_append else AT_ONCE  # what grew by appending may be large
        rest = iter(keys)
        while some := list(islice(rest, at_once)):
            found = self._store.get_many(some)
            for key in some:
                yield key, _decode(self._store, key, found.pop(key) or b"", type)


def read_some(store: Store, folder: str, type: type[R], most: int) -> Iterator[R]:
    """So many records at the most, of the first files; a task that ran more than once may come more than once."""
    left = most
    for key in list_files(store, folder):
        for record in islice(_decode(store, key, store.get(key) or b"", type), left):
            left -= 1
            yield record
        if left <= 0:
            return


def _decode(store: Store, key: str, data: bytes, type: type[R]) -> Iterator[R]:
    decode = msgspec.json.Decoder(type).decode
    try:
        for line in unpack(data):
            yield decode(line)
    except (Unreadable, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"the ledger file {store.url}/{key} cannot be read: {error}. "
            "If it is damaged, delete it, and its tasks count as not done"
        ) from None


def list_files(store: Store, folder: str) -> list[str]:
    """The files of records in a ledger's folder."""
    return sorted(key for key in store.list(f"{folder}/") if key.endswith(ENDING))


def most_records(files: list[str]) -> int | None:
    """How many records these files hold, if all of their names say it."""
    counts = [count_in_name(key) for key in files]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
