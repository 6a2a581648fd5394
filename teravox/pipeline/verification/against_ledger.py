"""Compares what is stored with what the ledger noted when it was written."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice

from teravox.pipeline.storage.side_by_side import LANES, LOCAL_LANES, side_by_side
from teravox.pipeline.storage.urls import is_local
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Look

TOGETHER = 4096  # keys that are looked up at once


def compare_sizes(look: Look, listed: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    """Those objects, of keys and bytes as they were listed, that are empty, or of another size than was written."""
    rest = iter(listed)
    while some := list(islice(rest, TOGETHER)):
        for (key, size), known in zip(some, look.makers.recorded(key for key, _ in some), strict=True):
            if known is None or known.is_removed:
                continue
            look.counts["sizes compared with the ledger"] += 1
            if size < known.bytes:
                said = f"it has {size:,} bytes" if size else "it is empty"
                yield Finding("truncated", key, f"{said}, and {known.bytes:,} were written")
            elif size > known.bytes:
                yield Finding("changed", key, f"it has {size:,} bytes, and {known.bytes:,} were written")


def compare_checksums(look: Look, keys: Iterable[str]) -> Iterator[Finding]:
    """Those objects whose stored bytes are not those that were written; reads all that the ledger knows."""

    def check(one: tuple[str, int, int]) -> Finding | None:
        key, size, crc = one
        stored = look.store.get_stored(key)
        look.step(1)
        if stored is None or len(stored[0]) != size:  # told already, by the listing
            return None
        look.counts["checksums compared with the ledger"] += 1
        if zlib.crc32(stored[0]) == crc:
            return None
        return Finding("changed", key, "its checksum is not that of what was written")

    def known() -> Iterator[tuple[str, int, int]]:
        rest = iter(keys)
        while some := list(islice(rest, TOGETHER)):
            for key, found in zip(some, look.makers.recorded(some), strict=True):
                if found is None or found.is_removed:
                    look.counts["not checked: the checksums of objects that no ledger tells of"] += 1
                    look.step(1)
                    continue
                yield key, found.bytes, found.crc

    lanes = LOCAL_LANES if is_local(look.store.url) else LANES
    yield from filter(None, side_by_side(check, known(), lanes))


def find_changed(look: Look, keys: list[str]) -> list[Finding]:
    """Those of a few objects that are not as they were written, by size or checksum."""
    changed = []
    for key, known in zip(keys, look.makers.recorded(keys), strict=True):
        if known is None or known.is_removed:
            continue
        stored = look.store.get_stored(key)
        if stored is None:
            changed.append(Finding("missing", key, "it is not there, and a task has written it"))
        elif len(stored[0]) != known.bytes or zlib.crc32(stored[0]) != known.crc:
            changed.append(Finding("changed", key, "it is not what was written, and what is made of it differs"))
    return changed
