"""Finds the jobs that still need what a clean-up would take from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.ledger import JobRecord, Ledger
from teravox.pipeline.objects.result_folder import DIGITS
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.storage.open import open_store


class UnderWay(NamedTuple):
    """A job that is not finished."""

    record: JobRecord
    ledger: Ledger


def find_under_way(layer: Layer, sort: Sort, base: str) -> list[UnderWay]:
    """The jobs about objects of a sort, and about those of a folder where they name one, that the ledgers know as unfinished.

    The ledger of a merge lies in the folder of its result, and those of the others beside the layer.
    """
    kinds = {f"{sort.one} {word}" for word in ("forge", "merge", "transfer", "index create")} | {f"shard {sort.one}"}
    found = []
    for place in ("", *_results(layer, base)):
        url = f"{layer.url}/{place}".rstrip("/")
        store = open_store(url)
        for id in sorted({match[1] for key in store.list("ledger/") if (match := _JOB.match(key))}):
            ledger = Ledger(store, id)
            record = ledger.job()
            if record is None or record.kind not in kinds or ledger.finished():
                continue
            if place or record.job.get("dir") in (None, base):
                found.append(UnderWay(record, ledger))
    return found


def refuse_under_way(layer: Layer, sort: Sort, base: str) -> None:
    """Raise BadUsage where a job would lose what it needs."""
    found = find_under_way(layer, sort, base)
    if found:
        said = "; ".join(f"{one.record.kind} ({one.record.command})" for one in found)
        raise BadUsage(
            f"{layer.url} is not finished with what would be removed, as its ledger says: {said}. "
            "Finish that with the same command and --resume, or give it up by saying --abandon here"
        )


_JOB = re.compile(r"ledger/([0-9a-f]{32})/")


def _results(layer: Layer, base: str) -> Iterator[str]:
    """The folders of results that have a ledger."""
    pattern = re.compile(rf"({re.escape(base)}(?:_[0-9a-f]{{{DIGITS}}})?)/ledger/")
    yield from sorted({match[1] for key in layer.store.list(base) if (match := pattern.match(key))})
