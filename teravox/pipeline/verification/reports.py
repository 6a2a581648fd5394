"""Verifies the report of an evaluation and the tables beside it; and files of JSON and of Parquet as such."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from teravox.pipeline.label_tables.parquet import MAGIC
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Look


def check_report(look: Look, key: str) -> Iterator[Finding]:
    """The report, and the tables beside it that it tells of."""
    from teravox.pipeline.evaluation.places import SIDES, tables_folder
    from teravox.pipeline.evaluation.report import Report

    found = list(check_json(look, key, Report))
    yield from found
    labels = None if found else msgspec.json.decode(look.store.get(key) or b"", type=Report).labels
    if labels is None:
        return
    for name, worst in (("split", labels.worst_split), ("merge", labels.worst_merge)):
        lines = (look.store.get(f"worst_{name}.csv") or b"").count(b"\n")
        if lines != len(worst) + 1:
            yield Finding(
                "wrong", f"worst_{name}.csv", f"it has {lines:,} lines, and the report tells of {len(worst):,} labels"
            )
    for side in SIDES if look.can_list else ():
        tables = sorted(look.store.list(f"{tables_folder(side)}/"))
        if not tables:
            yield Finding("missing", tables_folder(side), "the tables of the labels are not there")
        for table in tables:
            yield from check_ends(look, table)


def check_ends(look: Look, key: str) -> Iterator[Finding]:
    """A Parquet file begins and ends with the same four letters, and is not cut off."""
    data = look.store.get(key)
    if data is not None and not (len(data) > 2 * len(MAGIC) and data.startswith(MAGIC) and data.endswith(MAGIC)):
        yield Finding("truncated", key, f"it has {len(data):,} bytes, which are no whole Parquet file")


def check_json(look: Look, key: str, type: type[Any]) -> Iterator[Finding]:  # Any: whatever the file holds
    data = look.store.get(key)
    if data is None:
        yield Finding("missing", key, "it is not there, and a task has made it")
        return
    try:
        msgspec.json.decode(data, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield Finding("undecodable", key, f"it cannot be read: {error}")
