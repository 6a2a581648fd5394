"""The `provenance` file of a layer: what was done to it, by whom, with which teravox."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

import msgspec

from teravox import __version__
from teravox.pipeline.errors import BadInput
from teravox.pipeline.store import Store

Json = dict[str, Any]  # JSON may hold anything


def record_processing(store: Store, kind: str, parameters: Json) -> None:
    """Add what a job did to a layer's provenance; the record of the same job is replaced."""
    provenance = _read(store)
    method = msgspec.json.decode(msgspec.json.encode({"task": kind, **parameters}))  # as it will be read again
    record = {
        "method": method,
        "by": _user(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M %Z"),
        "version": f"teravox {__version__}",
    }
    others = [done for done in provenance["processing"] if not isinstance(done, dict) or done.get("method") != method]
    provenance["processing"] = [*others, record]
    data = msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n"
    store.put("provenance", data, content_type="application/json")


def _read(store: Store) -> Json:
    data = store.get("provenance")
    empty: Json = {"description": "", "owners": [], "processing": [], "sources": []}
    if data is None or not data.strip():
        return empty
    try:
        provenance = empty | msgspec.json.decode(data, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{store.url}/provenance is not JSON: {error}. Correct it, or move it away") from None
    if not isinstance(provenance["processing"], list):
        raise BadInput(f"{store.url}/provenance: `processing` must be a list. Correct it, or move it away")
    return provenance


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "unknown"
