"""A file that a step goes by, known by what it holds, wherever it lies when it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path


class StepFile:
    """What a file holds, read when it is needed; two with the same contents are the same."""

    __slots__ = ("_read", "name", "sha256")

    def __init__(self, name: str, sha256: str, read: Callable[[], bytes]) -> None:
        self.name = name
        self.sha256 = sha256
        self._read = read

    @classmethod
    def at(cls, path: str | Path) -> StepFile:
        """A file of this machine as it is now."""
        data = Path(path).read_bytes()
        return cls(str(path), hash_of(data), lambda: data)

    def read(self) -> bytes:
        """What it holds."""
        return self._read()

    def __str__(self) -> str:
        return f"sha256:{self.sha256}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StepFile) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def hash_of(data: bytes) -> str:
    """The name of what a file holds."""
    return hashlib.sha256(data).hexdigest()
