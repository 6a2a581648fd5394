from __future__ import annotations

from collections.abc import Iterator

from ledger.memory_store import MemoryStore
from ledger.some_records import make_record

from teravox import __version__
from teravox.pipeline.ledger import Ledger, skip_done
from teravox.pipeline.queues.contract import Entry


def entry(number: int) -> Entry:
    return Entry(f"{number:032x}", b"{}")


def test_what_this_version_has_done_is_skipped_and_counted(store: MemoryStore) -> None:
    ledger = Ledger(store, "0" * 32)
    writer = ledger.writer("w")
    for number in (1, 3, 5):
        writer.add(make_record(number, version=__version__))
    writer.add(make_record(6, version="0.0.1"))
    writer.flush()
    left = skip_done(map(entry, range(8)), ledger)
    assert list(left) == [entry(number) for number in (0, 2, 4, 6, 7)]
    assert (left.skipped, left.kept) == (3, 5)
    assert [int(e.id, 16) for e in skip_done(map(entry, range(8)), ledger, "0.0.1")] == [0, 1, 2, 3, 4, 5, 7]


def test_entries_are_read_only_as_fast_as_they_are_taken(store: MemoryStore) -> None:
    taken = []

    def entries() -> Iterator[Entry]:
        for number in range(100):
            taken.append(number)
            yield entry(number)

    left = skip_done(entries(), Ledger(store, "0" * 32))
    assert next(left) == entry(0)
    assert taken == [0]
