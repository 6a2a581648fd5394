"""The jobs that have a ledger beside a layer: what they were, how far they are, and whether they can be done again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.job import AnyJob, Job, piece_type
from teravox.pipeline.ledger import JobRecord, Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.registry import Registry
from teravox.pipeline.secrets import HIDDEN
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.urls import normalize
from teravox.pipeline.store import Store
from teravox.pipeline.verification.finding import Finding


class Place(NamedTuple):
    """Where ledgers lie, and how the keys in them begin within the layer."""

    store: Store
    prefix: str


class KnownJob:
    """One job of a layer's ledgers."""

    def __init__(self, number: int, id: str, record: JobRecord, place: Place, registry: Registry) -> None:
        self.number = number
        self.id = id
        self.prefix = place.prefix  # of its keys within the layer
        self.record = record
        self.store = place.store  # of its home
        self.ledger = Ledger(place.store, id)
        self.folders: set[str] = set()  # that its tasks wrote to, or took away from
        self._registry = registry
        self._opened: AnyJob | None = None

    def open(self) -> AnyJob:
        """The job as it was asked for; TeravoxError says why it cannot be had, and so not be done again."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> AnyJob:
        kind = self._registry.find(self.record.kind)
        if kind is None:
            raise TeravoxError(f"there is no kind {self.record.kind!r} here: name what has it with --plugin")
        if _holds_hidden(self.record.job):
            raise TeravoxError(
                f"the ledger has not kept all options of {self.record.kind}: what may be a credential reads {HIDDEN}. "
                f"Give the command again yourself, it was: {self.record.command}"
            )
        try:
            job: AnyJob = msgspec.convert(self.record.job, kind, strict=True)
        except msgspec.ValidationError as error:
            raise TeravoxError(
                f"{self.record.kind} of teravox {self.record.version} had other options ({error}); "
                f"give the command again yourself, it was: {self.record.command}"
            ) from None
        if job_id(self.record.kind, job) != self.id:
            raise TeravoxError(
                f"{self.record.kind} of teravox {self.record.version} had other options; "
                f"give the command again yourself, it was: {self.record.command}"
            )
        if not self.prefix and normalize(job.home()) != self.store.url:  # to say theirs, merges need fragments
            raise TeravoxError(
                f"{self.record.kind} wrote to {job.home()}, and its ledger lies at {self.store.url}: the layer was moved or "
                f"copied. Give the command again yourself, with the new path, it was: {self.record.command}"
            )
        return job

    @property
    def layer(self) -> str:
        """The URL of the layer that it wrote to, or to a folder of which."""
        return self.store.url.removesuffix(f"/{self.prefix}".rstrip("/"))

    def piece(self, said: Any) -> Any:  # Any: kinds differ in their pieces, and this is one as JSON
        """A piece as a record has kept it."""
        kind = self._registry.find(self.record.kind)
        assert kind is not None, "open() has found it"
        return msgspec.convert(said, piece_type(kind))

    @property
    def takes_away(self) -> bool:
        """Whether it is of a kind that removes what others wrote."""
        kind = self._registry.find(self.record.kind)
        return kind is not None and kind.removes is not Job.removes

    def removes(self, said: Any) -> Iterable[str]:  # Any: as above
        """The keys that a piece took away; none where the kind takes none away, or is not known here."""
        if not self.takes_away:
            return ()
        try:
            keys: Sequence[str] = self.open().removes(self.piece(said))
        except (TeravoxError, msgspec.ValidationError):
            return ()
        return keys

    def note_folder(self, key: str) -> None:
        self.folders.add(key.rpartition("/")[0])


def list_jobs(store: Store, folders: Iterable[str], registry: Registry, problems: list[Finding]) -> list[KnownJob]:
    """All jobs of the ledgers of a layer and of folders in it that have ledgers of their own, the first one first.

    Those that cannot be read become problems.
    """
    read: list[tuple[float, str, JobRecord, Place]] = []
    for place in (Place(store, ""), *(Place(open_store(f"{store.url}/{folder}"), f"{folder}/") for folder in folders)):
        for id in sorted({key.split("/")[1] for key in place.store.list("ledger/") if key.count("/") == 2}):
            key = f"{place.prefix}ledger/{id}/job.json"
            try:
                record = Ledger(place.store, id).job()
            except TeravoxError as error:
                problems.append(Finding("undecodable", key, str(error)))
                continue
            if record is None:
                problems.append(Finding("missing", key, "a ledger without it does not say what was asked for"))
                continue
            read.append((record.time, id, record, place))
    read.sort(key=lambda one: one[:2])
    return [KnownJob(number, id, record, place, registry) for number, (_, id, record, place) in enumerate(read)]


def _holds_hidden(value: Any) -> bool:  # Any: the JSON of a job
    if isinstance(value, str):
        return HIDDEN in value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_holds_hidden, parts))
