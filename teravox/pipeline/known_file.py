"""A file of the machine where a job is made, known by what it holds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadUsage


class KnownFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file and the hash of what it held when the job was made, so that with other contents it is another job.

    It is read while the job is prepared: workers may not have it.
    """

    path: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    @classmethod
    def at(cls, path: str) -> KnownFile:
        """The file as it is now; BadUsage where it cannot be read."""
        return cls(path, _hash(_read(path)))

    def read(self) -> bytes:
        """What it holds; BadUsage where that is no longer what the job was made of."""
        data = _read(self.path)
        if _hash(data) != self.sha256:
            raise BadUsage(f"{self.path} has changed since the job was made: make the job anew")
        return data


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadUsage(f"cannot read {path}: {error.strerror}") from None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
