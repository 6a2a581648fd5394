"""Whether a table has all that was counted, so that the counts of its boxes need not be kept.

The mark that says so goes before any box is counted anew, and is there before the first count is removed: so where
it is absent all counts are needed, and where it is present none is.
"""

from __future__ import annotations

import msgspec

from teravox.pipeline.label_tables.places import counts_folder
from teravox.pipeline.label_tables.plan import Counts
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.store import Store

MERGED = "merged.json"


def is_merged(store: Store, folder: str, counts: Counts) -> bool:
    """Whether the table is of these counts, none of which has been made anew since."""
    return store.get(f"{folder}/{MERGED}") == _encode(counts)


def drop_counts(store: Store, folder: str, counts: Counts) -> None:
    """Remove what was counted, once the table has it; safe to repeat."""
    store.put(f"{folder}/{MERGED}", _encode(counts), content_type="application/json")
    remove_folder(store, counts_folder(folder, counts.shape))


def expect_counts(store: Store, folder: str) -> None:
    """Say that a box is about to be counted, so that the next table is made of counts again."""
    store.delete([f"{folder}/{MERGED}"])


def _encode(counts: Counts) -> bytes:
    return msgspec.json.encode(counts) + b"\n"
