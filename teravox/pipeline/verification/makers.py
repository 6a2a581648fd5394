"""Which task made which object, and how large it was then: what all ledgers of a layer say together."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.store import Store
from teravox.pipeline.verification.finding import Finding, Maker
from teravox.pipeline.verification.key_hash import hash_key
from teravox.pipeline.verification.known_jobs import KnownJob, list_jobs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.ledger import Record
    from teravox.pipeline.registry import Registry

GONE = -1  # in place of the size of an object that was removed


class Recorded(msgspec.Struct, frozen=True):
    """What the newest record that tells of a key says: its bytes and CRC-32 as stored, or that it was removed."""

    bytes: int
    crc: int
    is_removed: bool = False


class Makers:
    """The newest record of every key, in about 30 bytes each.

    A record tells of the keys that its task wrote, and of those that it took away. Where clocks of machines differ,
    the newest is the one whose task ended last by the clock of its machine.
    """

    def __init__(self, store: Store, folders: Iterable[str], registry: Registry) -> None:
        """`folders` are those of a layer that have ledgers of their own. Where nothing can be listed, nothing is known."""
        self.problems: list[Finding] = []  # with the ledgers themselves
        self.jobs: list[KnownJob] = []
        if not store.url.startswith(("http://", "https://")):
            self.jobs = list_jobs(store, folders, registry, self.problems)
        self._table = self._read()

    @property
    def has_ledger(self) -> bool:
        """Whether any job is known that wrote to this layer."""
        return bool(self.jobs)

    def recorded(self, keys: Iterable[str]) -> list[Recorded | None]:
        """What is known of each key; None where no task has written it."""
        import numpy as np

        table = self._table
        names = np.fromiter(map(hash_key, keys), np.uint64)
        if not len(table.names):
            return [None] * len(names)
        at = np.minimum(np.searchsorted(table.names, names), len(table.names) - 1)
        known = (table.names[at] == names).tolist()
        sizes, crcs = table.sizes[at].tolist(), table.crcs[at].tolist()
        return [
            (Recorded(0, 0, is_removed=True) if size == GONE else Recorded(size, crc)) if is_known else None
            for is_known, size, crc in zip(known, sizes, crcs, strict=True)
        ]

    def jobs_of(self, keys: Iterable[str]) -> list[KnownJob | None]:
        """The job that has the last word on each of these keys; None where none has."""
        import numpy as np

        names = np.fromiter(map(hash_key, keys), np.uint64)
        if not len(self._table.names):
            return [None] * len(names)
        at = np.minimum(np.searchsorted(self._table.names, names), len(self._table.names) - 1)
        known = self._table.names[at] == names
        return [
            self.jobs[job] if is_known else None
            for is_known, job in zip(known.tolist(), self._table.jobs[at].tolist(), strict=True)
        ]

    def written_below(self, prefix: str) -> Iterator[tuple[str, Recorded]]:
        """All keys below a prefix that tasks have written and none has removed since, as the ledgers' records come."""
        for job, record in self.records():
            mine = {job.prefix + key: said for key, said in record.outputs.items() if "://" not in key}
            mine = {key: said for key, said in mine.items() if key.startswith(prefix)}
            for (key, said), newest in zip(mine.items(), self._newest(mine), strict=True):
                if newest == (job.number, _ended(record)):
                    yield key, Recorded(*said)

    def makers_of(self, keys: Iterable[str]) -> dict[str, Maker]:
        """The task that wrote each of these keys last, for those that are known; it reads the records again."""
        wanted = set(keys)
        found: dict[str, tuple[float, Maker]] = {}
        for job, record in self.records() if wanted else ():
            for key in wanted.intersection(job.prefix + key for key in record.outputs):
                if key not in found or found[key][0] <= _ended(record):
                    found[key] = (_ended(record), Maker(job.record.kind, job.id, record.id))
        return {key: maker for key, (_, maker) in found.items()}

    def records(self) -> Iterator[tuple[KnownJob, Record]]:
        """All records of all jobs; what cannot be read is among the problems already."""
        for job in self.jobs:
            try:
                for record in job.ledger.records():
                    yield job, record
            except TeravoxError:
                continue

    def job(self, id: str) -> KnownJob | None:
        return next((job for job in self.jobs if job.id == id), None)

    def _newest(self, keys: Iterable[str]) -> list[tuple[int, float]]:
        """The number of the job that has the last word on each key, and when it had it."""
        import numpy as np

        at = np.searchsorted(self._table.names, np.fromiter(map(hash_key, keys), np.uint64))
        return list(zip(self._table.jobs[at].tolist(), self._table.ended[at].tolist(), strict=True))

    def _read(self) -> _Table:
        rows = _Rows()
        for job in self.jobs:
            removes = job.removes
            try:
                for record in job.ledger.records():
                    ended = _ended(record)
                    for key, (size, crc) in record.outputs.items():
                        if "://" not in key:
                            rows.add(job.prefix + key, size, crc, job.number, ended)
                            job.note_folder(job.prefix + key)
                    for key in removes(record.piece):
                        rows.add(job.prefix + key, GONE, 0, job.number, ended)
                        job.note_folder(job.prefix + key)
            except TeravoxError as error:
                self.problems.append(Finding("undecodable", f"{job.prefix}ledger/{job.id}", str(error)))
        return rows.table()


class _Table(msgspec.Struct, frozen=True):
    """Sorted by name, each once."""

    names: NDArray[np.uint64]
    sizes: NDArray[np.int64]
    crcs: NDArray[np.uint32]
    jobs: NDArray[np.uint16]
    ended: NDArray[np.float64]


class _Rows:
    """What records tell, as it comes."""

    def __init__(self) -> None:
        self._names, self._sizes, self._crcs, self._jobs = (array(code) for code in "QqIH")
        self._ended = array("d")

    def add(self, key: str, size: int, crc: int, job: int, ended: float) -> None:
        self._names.append(hash_key(key))
        self._sizes.append(size)
        self._crcs.append(crc)
        self._jobs.append(job)
        self._ended.append(ended)

    def table(self) -> _Table:
        import numpy as np

        names, ended = np.array(self._names, np.uint64), np.array(self._ended, np.float64)
        order = np.lexsort((ended, names))
        ordered = names[order]
        is_last = np.append(ordered[1:] != ordered[:-1], np.ones(min(1, len(order)), bool))
        order = order[is_last]
        return _Table(
            names[order],
            np.array(self._sizes, np.int64)[order],
            np.array(self._crcs, np.uint32)[order],
            np.array(self._jobs, np.uint16)[order],
            ended[order],
        )


def _ended(record: Record) -> float:
    return record.started + record.seconds
