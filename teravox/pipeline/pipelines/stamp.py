"""After what a job was done: a small file beside its records, which says whether it would be done the same today."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.ledger import Totals
from teravox.pipeline.stages import Stage
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store

NAME = "stamp.json"
_FORM = "teravox stamp 1"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the tasks of one stage cost together, as its ledger said when it was done."""

    kind: str
    totals: Totals


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The hash of a job and of all that it was done after; `salt` makes it another one when it is done again on purpose.

    Without a text it belongs to nothing: another job has written to the same place since.
    """

    form: str = _FORM
    text: str
    salt: str = ""
    folders: tuple[str, ...] = ()  # URLs that the job writes to, once it is known
    costs: tuple[Cost, ...] | None = None  # of the whole step, when it is done

    @property
    def token(self) -> str:
        """What the stamps of those that follow are made of."""
        return hashlib.sha256(f"{self.text}\n{self.salt}".encode()).hexdigest()[:32]

    def is_like(self, other: Stamp) -> bool:
        """Whether both are of the same job, done after the same."""
        return bool(self.text) and (self.text, self.salt) == (other.text, other.salt)


def make_stamp(ids: Sequence[str], tokens: Iterable[str], salt: str) -> Stamp:
    """The stamp of the last of these jobs, which follow each other, after steps with these tokens."""
    text = "\n".join([*ids, "after", *sorted(tokens)])
    return Stamp(text=hashlib.sha256(text.encode()).hexdigest()[:32], salt=salt)


def read_stamp(stage: Stage) -> Stamp | None:
    """The stamp of a job; None if it has none, or one that nobody can read."""
    return _decode(open_store(stage.job.home()).get(f"ledger/{stage.id}/{NAME}"))


def write_stamp(stage: Stage, stamp: Stamp) -> None:
    """Keep a job's stamp in the place of the one that it had."""
    data = msgspec.json.format(msgspec.json.encode(stamp), indent=2)
    open_store(stage.job.home()).put(f"ledger/{stage.id}/{NAME}", data + b"\n", content_type="application/json")


def folders_of(stage: Stage) -> tuple[str, ...]:
    """The URLs of the folders that the first and the last piece of a job write to; those between write to the same."""
    job: Any = stage.job  # its pieces are of its own type
    pieces = job.pieces()
    ends = {0, len(pieces) - 1} if len(pieces) else set()
    keys = [key for end in ends for key in job.outputs(pieces[end])]
    return tuple(sorted({f"{job.home()}/{key.rpartition('/')[0]}".rstrip("/") for key in keys}))


def void_overwritten(stage: Stage, folders: Iterable[str], kept: Iterable[str]) -> None:
    """Void the stamps of other jobs of this layer that have written to these folders, but for the `kept` ones.

    A layer that is made with one parameter, then with another, and then with the first again is made three times.
    """
    store = open_store(stage.job.home())
    wanted, spared = set(folders), {*kept, stage.id}
    for key in _stamps(store):
        id = key.split("/")[1]
        stamp = None if id in spared else _decode(store.get(key))
        if stamp is not None and stamp.text and wanted.intersection(stamp.folders):
            void = msgspec.structs.replace(stamp, text="", costs=None)
            store.put(key, msgspec.json.encode(void), content_type="application/json")


def _stamps(store: Store) -> list[str]:
    return [key for key in store.list("ledger/") if key.endswith(f"/{NAME}")]


def _decode(data: bytes | None) -> Stamp | None:
    if data is None:
        return None
    try:
        stamp = msgspec.json.decode(data, type=Stamp)
    except (msgspec.DecodeError, UnicodeDecodeError):  # of another version: then its job is done again
        return None
    return stamp if stamp.form == _FORM else None


def cost_of(stage: Stage) -> Cost | None:
    """What the tasks of a stage cost; None where the ledger cannot be read any more."""
    try:
        return Cost(kind=stage.kind, totals=stage.ledger.summary())
    except TeravoxError:
        return None
