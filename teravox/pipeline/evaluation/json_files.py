"""What the stages write down as JSON."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from teravox.pipeline.evaluation.remedy import REMEDY
from teravox.pipeline.sorted_rows.file import broken
from teravox.pipeline.store import Store

T = TypeVar("T")


def put_json(store: Store, key: str, value: object) -> None:
    data = msgspec.json.format(msgspec.json.encode(value), indent=1)
    store.put(key, data + b"\n", content_type="application/json")


def get_json(store: Store, key: str, type: type[T], remedy: str = REMEDY) -> T:
    """What was written; BadInput, with the remedy, if it is missing or damaged."""
    data = store.get(key)
    if data is None:
        raise broken(store, key, "it is missing", remedy)
    try:
        return msgspec.json.decode(data, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise broken(store, key, str(error), remedy) from None
