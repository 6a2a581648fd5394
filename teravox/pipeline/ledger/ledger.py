"""The ledger of one job: opened by whoever asks for it, written by workers, read by everybody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from teravox import __version__
from teravox.pipeline.errors import BadInput
from teravox.pipeline.idset import IdSet
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger.reading import Survey, list_files, most_records, read_some
from teravox.pipeline.ledger.record import JobRecord, Mark, Record, Totals
from teravox.pipeline.ledger.writer import LedgerWriter
from teravox.pipeline.secrets import HIDDEN, is_secret_name, redact
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.store import Store


class Ledger:
    """What was asked for and what is done, in `ledger/{job id}/` of the layer that the job writes.

    Reading sees the records that were flushed before it began. A task that ran twice counts once.
    """

    def __init__(self, store: Store, job_id: str) -> None:
        self._store = store
        self._folder = f"ledger/{job_id}"

    def open(self, kind: str, job: AnyJob, total: int, command: str) -> JobRecord:
        """Write down what is asked for, before its tasks are queued; a repeat keeps what the first one wrote.

        A repeat also takes back the mark of a finished job, since tasks may run again.
        """
        known = self.job()
        if known is None:
            known = JobRecord(
                kind=kind,
                job=_without_secrets(msgspec.json.decode(msgspec.json.encode(job))),
                version=__version__,
                total=total,
                time=time.time(),
                command=redact(command),
            )
            self._put("job.json", known)
        if known.total != total:
            raise BadInput(
                f"{self._place('job.json')} says that this job has {known.total:,} pieces, and now it has {total:,}: "
                f"what it reads has changed. Delete {self._folder} to start it anew"
            )
        self._store.delete([self._key("finished.json")])
        return known

    def job(self) -> JobRecord | None:
        """The job as it was asked for; None before that."""
        data = self._store.get(self._key("job.json"))
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=JobRecord)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{self._place('job.json')} is not what teravox {__version__} writes: {error}") from None

    def writer(self, worker: str) -> LedgerWriter:
        """The pen of one worker."""
        return LedgerWriter(self._store, self._folder, worker)

    def records(self) -> Iterator[Record]:
        """A record of each finished task, in no order."""
        return self._survey().records(Record)

    def some_records(self, most: int) -> Iterator[Record]:
        """So many records at the most, without a look at all of them; of tasks that ran twice perhaps both."""
        return read_some(self._store, self._folder, Record, most)

    def done(self, version: str | None) -> IdSet:
        """The ids of the tasks that were done, the last time by this version of teravox; None takes any version."""
        return IdSet(self._survey().ids(version))

    def is_complete(self) -> bool:
        """Every piece of the job was done, by whatever version."""
        job = self.job()
        if job is None:
            return False
        most = most_records(list_files(self._store, self._folder))
        if most is not None and most < job.total:
            return False
        return len(self._survey()) >= job.total

    def finished(self) -> bool:
        """Whether what comes after the last piece was done too."""
        return self._store.get(self._key("finished.json")) is not None

    def mark_finished(self) -> None:
        """Write down that nothing is left to do."""
        self._put("finished.json", {"version": __version__, "time": time.time()})

    def remove(self) -> None:
        """Forget the job and its records, for ever; it may be repeated."""
        remove_folder(self._store, self._folder)

    def summary(self) -> Totals:
        """What the finished tasks cost together."""
        totals = Totals()
        for task in self._survey().records(Mark):
            totals = totals.add(task)
        return totals

    def _survey(self) -> Survey:
        return Survey(self._store, self._folder)

    def _put(self, name: str, value: object) -> None:
        data = msgspec.json.format(msgspec.json.encode(value), indent=2)
        self._store.put(self._key(name), data + b"\n", content_type="application/json")

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _place(self, name: str) -> str:
        return f"{redact(self._store.url)}/{self._key(name)}"


def _without_secrets(value: Any) -> Any:  # any JSON, since kinds differ
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(part, str) and is_secret_name(name) else _without_secrets(part)
            for name, part in value.items()
        }
    return value
