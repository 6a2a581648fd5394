"""What one task removes: the objects whose names begin with one digit, or with anything else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from teravox.pipeline.store import Store

DIGITS = "0123456789abcdef"  # labels, shards and boxes begin with one of them
INFO = "info"  # of a folder of objects: by it one knows the folder, so it goes last


class Beginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Objects of a folder by how their names begin; without a beginning, those that begin with no digit."""

    folder: str
    begins: str


def parts_of(folder: str) -> list[Beginning]:
    """All parts of a folder."""
    return [Beginning(folder, begins) for begins in (*DIGITS, "")]


def keys_of(store: Store, folder: str, begins: str) -> Iterator[str]:
    """The keys of a part of a folder, but never its info."""
    for key in store.list(f"{folder}/{begins}"):
        name = key.removeprefix(f"{folder}/")
        if name != INFO and (begins or name[0] not in DIGITS):
            yield key
