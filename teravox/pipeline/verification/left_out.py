"""Whether what is not there was left out on purpose: a task was done that could have written it, and did not."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.message import task_id
from teravox.pipeline.verification.key_hash import hash_key
from teravox.pipeline.verification.known_jobs import KnownJob

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Why = Literal["left out", "not done", "unknown"]


class Absences:
    """Why things may not be there of which no record tells. It asks each job for its pieces once, and keeps 9 bytes a key."""

    def __init__(self, jobs: Iterable[KnownJob]) -> None:
        self._jobs = list(jobs)
        self._asked: dict[str, _Expected | None] = {}

    def why(self, keys: Iterable[str]) -> dict[str, Why]:
        """`left out`: the task that is to write it was done, and had nothing to write. `not done`: its piece is still to be done.
        `unknown`: no job that can be asked has to do with it."""
        answers: dict[str, Why] = dict.fromkeys(keys, "unknown")
        open_keys = list(answers)
        for job in reversed(self._jobs):  # the last one has the last word
            if not open_keys:
                break
            if job.folders and job.folders.isdisjoint(key.rpartition("/")[0] for key in open_keys):
                continue
            answers |= self._ask(job, open_keys)
            open_keys = [key for key in open_keys if answers[key] == "unknown"]
        return answers

    def _ask(self, job: KnownJob, keys: list[str]) -> dict[str, Why]:
        if job.id not in self._asked:
            self._asked[job.id] = _expect(job)
        expected = self._asked[job.id]
        if expected is None:
            return _guess(job, keys)
        return {
            key: "left out" if is_done else "not done"
            for key, is_done in zip(keys, expected.find(keys), strict=True)
            if is_done is not None
        }


class _Expected(NamedTuple):
    """What the pieces of a job may write, sorted, and whether they are done."""

    names: NDArray[np.uint64]
    done: NDArray[np.bool_]

    def find(self, keys: list[str]) -> list[bool | None]:
        """Whether the piece of each key is done; None where none is to write it."""
        import numpy as np

        names = np.fromiter(map(hash_key, keys), np.uint64, len(keys))
        if not len(self.names):
            return [None] * len(keys)
        at = np.minimum(np.searchsorted(self.names, names), len(self.names) - 1)
        return [
            done if is_known else None
            for is_known, done in zip((self.names[at] == names).tolist(), self.done[at].tolist(), strict=True)
        ]


def _expect(job: KnownJob) -> _Expected | None:
    """None where the job cannot be asked: its source has gone, or it is of a kind that is not known here."""
    import numpy as np

    names, are_done = array("Q"), bytearray()
    try:
        opened = job.open()
        done = job.ledger.done(None)
        for piece in opened.pieces():
            keys = opened.outputs(piece)
            names.extend(hash_key(job.prefix + key) for key in keys)
            are_done += bytes([task_id(job.record.kind, opened, piece) in done]) * len(keys)
    except TeravoxError:
        return None
    found = np.array(names, np.uint64)
    order = np.argsort(found, kind="stable")
    return _Expected(found[order], np.frombuffer(bytes(are_done), np.bool_)[order])


def _guess(job: KnownJob, keys: list[str]) -> dict[str, Why]:
    """Of a job that cannot be asked: what it did not write in its folders, it left out, if all of it was done."""
    try:
        if not job.ledger.is_complete():
            return {}
    except TeravoxError:
        return {}
    return dict.fromkeys((key for key in keys if key.rpartition("/")[0] in job.folders), "left out")
