"""Going on where a job was left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from teravox import __version__
from teravox.pipeline.ledger.ledger import Ledger
from teravox.pipeline.queues.contract import Entry


class SkipDone(Iterator[Entry]):
    """The entries that are still to be done, with a count of those that were passed over so far."""

    def __init__(self, entries: Iterable[Entry], ledger: Ledger, version: str) -> None:
        self.skipped = 0
        self.kept = 0
        self._entries = iter(entries)
        self._done = ledger.done(version)

    def __next__(self) -> Entry:
        for entry in self._entries:
            if entry.id not in self._done:
                self.kept += 1
                return entry
            self.skipped += 1
        raise StopIteration


def skip_done(entries: Iterable[Entry], ledger: Ledger, version: str = __version__) -> SkipDone:
    """The entries without the tasks that this version of teravox has done; reads the ledger at once."""
    return SkipDone(entries, ledger, version)
